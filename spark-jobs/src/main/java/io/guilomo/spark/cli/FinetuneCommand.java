package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import picocli.CommandLine.Command;

/** {@code finetune}. */
@Command(
    name = "finetune",
    description = "Trains the model that a plan describes, and keeps its best and last adapter.")
final class FinetuneCommand extends JobCommand {

  FinetuneCommand(JobRunner runner, Actions.Job action) {
    super(runner, action);
  }

  @Override
  void check(GuilomoConfig config) {
    config.model().requirePath();
    config.data().requireTrain();
    if (config.run().id().isEmpty() && config.finetune().plan().isBlank()) {
      throw new UserException(
          "Cannot fine-tune without a plan: set guilomo.run.id to the run that allocated it, or"
              + " guilomo.finetune.plan");
    }
  }
}
