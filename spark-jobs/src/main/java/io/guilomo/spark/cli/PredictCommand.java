package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import picocli.CommandLine.Command;

/** {@code predict}. */
@Command(
    name = "predict",
    description = "Adds the predictions of an adapter to the records of a table.")
final class PredictCommand extends JobCommand {

  PredictCommand(JobRunner runner, Actions.Job action) {
    super(runner, action);
  }

  @Override
  void check(GuilomoConfig config) {
    EvaluateCommand.requireAdapter(config, "predict");
  }
}
