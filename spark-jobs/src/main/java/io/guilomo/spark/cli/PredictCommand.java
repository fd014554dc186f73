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
    config.evaluate().requireData();
    if (config.run().id().isEmpty() && config.evaluate().adapter().isBlank()) {
      throw new IllegalArgumentException(
          "Cannot predict without an adapter: set guilomo.run.id to the run that trained it, or"
              + " guilomo.evaluate.adapter");
    }
  }
}
