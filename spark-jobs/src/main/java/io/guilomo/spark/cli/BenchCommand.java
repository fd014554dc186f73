package io.guilomo.spark.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bench}. */
@Command(
    name = "bench",
    description = "Measures how fast this machine is. Prints a line of JSON for each case.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class BenchCommand implements Callable<Integer> {

  private final JobRunner runner;
  private final Actions.Bench action;

  @Parameters(
      paramLabel = "CASE",
      arity = "0..*",
      description = "What to measure; all if none is named.")
  private List<String> cases = new ArrayList<>();

  @Option(names = "--verbose", description = "Shows all messages, and where an error came from.")
  private boolean verbose;

  BenchCommand(JobRunner runner, Actions.Bench action) {
    this.runner = runner;
    this.action = action;
  }

  @Override
  public Integer call() throws Exception {
    runner.runWithoutSpark(
        verbose, (progress, out) -> action.run(List.copyOf(cases), progress, out));
    return 0;
  }
}
