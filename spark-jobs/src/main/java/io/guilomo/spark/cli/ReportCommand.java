package io.guilomo.spark.cli;

import io.guilomo.spark.run.ReportJob;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code report}. */
@Command(
    name = "report",
    description = "Rewrites the report of a run, one HTML page, from its tables.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class ReportCommand implements Callable<Integer> {

  private final JobRunner runner;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      required = true,
      description = "Output directory of the run: output.dir in its configuration.")
  private String output;

  @Option(
      names = "--run",
      paramLabel = "ID",
      description = "The run to report on (default: the newest).")
  private String run;

  @Option(
      names = "--verbose",
      description = "Shows Spark's messages, and the stack trace of an error.")
  private boolean verbose;

  ReportCommand(JobRunner runner) {
    this.runner = runner;
  }

  @Override
  public Integer call() throws Exception {
    runner.run(
        "report",
        verbose,
        (spark, progress, out) -> {
          ReportJob job = new ReportJob(spark, output);
          out.println(run == null ? job.run() : job.run(run));
        });
    return 0;
  }
}
