package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A command that runs one job with one configuration. */
@Command(mixinStandardHelpOptions = true, versionProvider = Version.class)
abstract class JobCommand implements Callable<Integer> {

  private final JobRunner runner;
  private final Actions.Job action;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions options;

  JobCommand(JobRunner runner, Actions.Job action) {
    this.runner = runner;
    this.action = action;
  }

  /**
   * Refuses, before Spark starts, a configuration that lacks what the job needs.
   *
   * @throws UserException with the key that is missing
   */
  abstract void check(GuilomoConfig config);

  @Override
  public final Integer call() throws Exception {
    GuilomoConfig config = options.config();
    check(config);
    Preloading.begin();
    runner.run(
        spec.name(),
        options.verbose(),
        (spark, progress, out) -> action.run(spark, config, progress, out));
    return 0;
  }
}
