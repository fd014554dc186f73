package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code allocate}. */
@Command(
    name = "allocate",
    description = "Learns how many experts of which rank each module gets, and writes the plan.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class AllocateCommand implements Callable<Integer> {

  private final JobRunner runner;
  private final Actions.Job action;

  @Mixin private CommonOptions options;

  AllocateCommand(JobRunner runner, Actions.Job action) {
    this.runner = runner;
    this.action = action;
  }

  @Override
  public Integer call() throws Exception {
    GuilomoConfig config = options.config();
    config.model().requirePath();
    config.data().requireTrain();
    runner.run(
        "allocate",
        options.verbose(),
        (spark, progress, out) -> action.run(spark, config, progress, out));
    return 0;
  }
}
