package io.guilomo.spark.cli;

import io.guilomo.spark.bench.Bench;
import io.guilomo.spark.bench.ScalingBench;
import io.guilomo.spark.compare.CompareJob;
import io.guilomo.spark.compare.QuickstartJob;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.evaluate.PredictJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.AbsolutePaths;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.preflight.DoctorJob;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.JobRun;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command line. Results go to standard output, everything else to standard error. The exit
 * status is 0 for success, 2 for a user's mistake, which is explained in a line {@code error:
 * Cannot …}, and 1 for anything else.
 */
@Command(
    name = "guilomo",
    description = "Learns how many LoRA experts of which rank each layer of a transformer needs.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
public final class Main implements Runnable {

  static final int FAILED = 1;
  static final int USER_ERROR = 2;

  static final Actions.Bench BENCH =
      (cases, profiles, device, progress, out) ->
          new Bench(progress, out).run(cases, profiles, device);

  static final Actions.Job PUBLISH =
      job(
          context ->
              JobResults.published(
                  context.publications().publish(context.config().run().id()),
                  context.config().output()));

  @Spec private CommandSpec spec;

  private Main() {}

  public static void main(String[] args) {
    // The report's charts need no screen, and the one that DISPLAY names may be gone.
    System.setProperty("java.awt.headless", "true");
    int status =
        run(
            args,
            actions(),
            SparkSession.Builder::getOrCreate,
            utf8(FileDescriptor.out),
            utf8(FileDescriptor.err),
            System.console() != null);
    // YARN takes any exit before the end of main for a failure, even with status 0.
    if (status != 0) {
      System.exit(status);
    }
  }

  /**
   * A stream in UTF-8: if no locale is set, Java would print characters such as × as question
   * marks.
   */
  static PrintStream utf8(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
  }

  private static Actions actions() {
    return new Actions(
        job(context -> JobResults.text(new AllocateJob(context, true).run())),
        job(context -> JobResults.text(new FinetuneJob(context, true).run())),
        job(context -> JobResults.text(new EvaluateJob(context).run())),
        job(context -> JobResults.text(new PredictJob(context).run())),
        job(context -> JobResults.text(new CompareJob(context).run())),
        (spark, config, progress, out) ->
            JobResults.print(
                new DoctorJob(spark, AbsolutePaths.forExecutors(spark, config)).run(), out),
        (spark, config, directory, progress, out) ->
            job(context -> JobResults.text(new QuickstartJob(context, directory).run()))
                .run(spark, config, progress, out),
        BENCH,
        job(context -> JobResults.scaling(new ScalingBench(context).run())));
  }

  interface Work {
    String text(JobContext context) throws Exception;
  }

  /** Relative paths are resolved by the driver, so that executors find the files. */
  static Actions.Job job(Work work) {
    return (spark, config, progress, out) -> {
      JobContext context =
          new JobContext(spark, AbsolutePaths.forExecutors(spark, config), progress);
      out.print(work.text(context));
      context.publications().finish();
    };
  }

  static int run(
      String[] args,
      Actions actions,
      Function<SparkSession.Builder, SparkSession> sessions,
      PrintStream out,
      PrintStream err,
      boolean terminal) {
    JobRunner runner = new JobRunner(sessions, out, err, terminal);
    CommandLine line = new CommandLine(new Main());
    line.addSubcommand(
        JobCommand.line(
            runner,
            JobRun.ALLOCATE,
            "Learns how many experts of which rank each module gets, and writes the plan.",
            actions.allocate(),
            JobCommand::checkAllocation));
    line.addSubcommand(
        JobCommand.line(
            runner,
            JobRun.FINETUNE,
            "Trains the model that a plan describes, and keeps its best and its last adapter.",
            actions.finetune(),
            JobCommand::checkFinetuning));
    line.addSubcommand(
        JobCommand.line(
            runner,
            JobRun.EVALUATE,
            "Scores an adapter on records with known answers.",
            actions.evaluate(),
            config -> JobCommand.requireAdapter(config, JobRun.EVALUATE)));
    line.addSubcommand(
        JobCommand.line(
            runner,
            JobRun.PREDICT,
            "Adds an adapter's predictions to the records of a table.",
            actions.predict(),
            config -> JobCommand.requireAdapter(config, JobRun.PREDICT)));
    line.addSubcommand(
        JobCommand.line(
            runner,
            JobRun.COMPARE,
            "Allocates, fine-tunes and evaluates with several strategies and seeds, and compares the"
                + " results.",
            actions.compare(),
            JobCommand::checkComparison));
    line.addSubcommand(new QuickstartCommand(runner, actions.quickstart()));
    line.addSubcommand(new ExportCommand(runner));
    line.addSubcommand(new ReportCommand(runner));
    line.addSubcommand(new SqlCommand(runner));
    line.addSubcommand(
        JobCommand.line(
            runner,
            "publish-tables",
            "Publishes the tables of a run, or without run.id of all runs of output.dir, to the"
                + " catalog that output.catalog names.",
            PUBLISH,
            JobCommand::checkPublishing));
    line.addSubcommand(new BenchCommand(runner, actions.bench(), actions.scaling()));
    line.addSubcommand(
        JobCommand.line(
            runner,
            "doctor",
            "Checks whether a configuration can run here: machines, files and memory. Prints one line"
                + " per check.",
            actions.doctor(),
            JobCommand::checkModelAndStrategy));
    line.addSubcommand(new CompletionCommand());
    return execute(line, args, out, err);
  }

  /** Executes the command line, and tells the user why it failed if it did. */
  static int execute(CommandLine line, String[] args, PrintStream out, PrintStream err) {
    line.setCaseInsensitiveEnumValuesAllowed(true);
    Failures failures = new Failures(err);
    line.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
    line.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
    line.setParameterExceptionHandler((exception, given) -> failures.ofArguments(exception));
    line.setExecutionExceptionHandler(
        (exception, command, parsed) ->
            failures.ofJob(
                exception, command.getParseResult().matchedOptionValue("--verbose", false)));
    return line.execute(args);
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "Cannot run without a command: one of " + String.join(", ", spec.subcommands().keySet()));
  }
}
