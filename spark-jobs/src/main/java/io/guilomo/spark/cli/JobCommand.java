package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationStrategies;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * A command that runs one job with one configuration. Before Spark starts, it refuses a
 * configuration that lacks what the job needs.
 */
@Command(mixinStandardHelpOptions = true, versionProvider = Version.class)
final class JobCommand implements Callable<Integer> {

  private final JobRunner runner;
  private final Actions.Job action;
  private final Consumer<GuilomoConfig> check;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions options;

  private JobCommand(JobRunner runner, Actions.Job action, Consumer<GuilomoConfig> check) {
    this.runner = runner;
    this.action = action;
    this.check = check;
  }

  static CommandLine allocate(JobRunner runner, Actions.Job action) {
    return line(
        "allocate",
        "Learns how many experts of which rank each module gets, and writes the plan.",
        new JobCommand(runner, action, JobCommand::checkAllocation));
  }

  static CommandLine finetune(JobRunner runner, Actions.Job action) {
    return line(
        "finetune",
        "Trains the model that a plan describes, and keeps its best and its last adapter.",
        new JobCommand(runner, action, JobCommand::checkFinetuning));
  }

  static CommandLine evaluate(JobRunner runner, Actions.Job action) {
    return line(
        "evaluate",
        "Scores an adapter on records with known answers.",
        new JobCommand(runner, action, config -> requireAdapter(config, "evaluate")));
  }

  static CommandLine predict(JobRunner runner, Actions.Job action) {
    return line(
        "predict",
        "Adds an adapter's predictions to the records of a table.",
        new JobCommand(runner, action, config -> requireAdapter(config, "predict")));
  }

  static CommandLine compare(JobRunner runner, Actions.Job action) {
    return line(
        "compare",
        "Allocates, fine-tunes and evaluates with several strategies and seeds, and compares the"
            + " results.",
        new JobCommand(runner, action, JobCommand::checkComparison));
  }

  static CommandLine doctor(JobRunner runner, Actions.Job action) {
    return line(
        "doctor",
        "Checks whether a configuration can run here: machines, files and memory. Prints one line"
            + " per check.",
        new JobCommand(runner, action, JobCommand::checkModelAndStrategy));
  }

  private static CommandLine line(String name, String description, JobCommand command) {
    CommandLine line = new CommandLine(command);
    line.getCommandSpec().name(name).usageMessage().description(description);
    return line;
  }

  private static void checkModelAndStrategy(GuilomoConfig config) {
    config.model().requirePath();
    AllocationStrategies.check(config.allocation().strategy());
  }

  private static void checkAllocation(GuilomoConfig config) {
    checkModelAndStrategy(config);
    if (AllocationStrategies.learns(config.allocation().strategy())) {
      config.data().requireTrain();
    }
  }

  private static void checkFinetuning(GuilomoConfig config) {
    config.model().requirePath();
    config.data().requireTrain();
    if (config.run().id().isEmpty() && config.finetune().plan().isBlank()) {
      throw new UserException(
          "Cannot fine-tune without a plan: set guilomo.run.id to the run that allocated it, or"
              + " guilomo.finetune.plan");
    }
  }

  private static void requireAdapter(GuilomoConfig config, String verb) {
    config.evaluate().requireData();
    if (config.run().id().isEmpty() && config.evaluate().adapter().isBlank()) {
      throw new UserException(
          "Cannot %s without an adapter: set guilomo.run.id to the run that trained it, or guilomo.evaluate.adapter"
              .formatted(verb));
    }
  }

  private static void checkComparison(GuilomoConfig config) {
    config.model().requirePath();
    config.data().requireTrain();
    config.evaluate().requireData();
    config.compare().strategies().forEach(AllocationStrategies::check);
  }

  @Override
  public Integer call() throws Exception {
    GuilomoConfig config = options.config();
    check.accept(config);
    Preloading.begin();
    runner.run(
        spec.name(),
        options.verbose(),
        (spark, progress, out) -> action.run(spark, config, progress, out));
    return 0;
  }
}
