package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import picocli.CommandLine.Command;

/** {@code evaluate}. */
@Command(
    name = "evaluate",
    description = "Scores an adapter on records whose right answers are known.")
final class EvaluateCommand extends JobCommand {

  EvaluateCommand(JobRunner runner, Actions.Job action) {
    super(runner, action);
  }

  @Override
  void check(GuilomoConfig config) {
    requireAdapter(config, "evaluate");
  }

  /** Refuses a configuration that names no records or no adapter to ask about them. */
  static void requireAdapter(GuilomoConfig config, String verb) {
    config.evaluate().requireData();
    if (config.run().id().isEmpty() && config.evaluate().adapter().isBlank()) {
      throw new UserException(
          String.format(
              "Cannot %s without an adapter: set guilomo.run.id to the run that trained it, or"
                  + " guilomo.evaluate.adapter",
              verb));
    }
  }
}
