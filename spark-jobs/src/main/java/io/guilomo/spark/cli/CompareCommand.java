package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.plan.AllocationStrategies;
import picocli.CommandLine.Command;

/** {@code compare}. */
@Command(
    name = "compare",
    description =
        "Allocates, fine-tunes and evaluates with several strategies and seeds, and compares them.")
final class CompareCommand extends JobCommand {

  CompareCommand(JobRunner runner, Actions.Job action) {
    super(runner, action);
  }

  @Override
  void check(GuilomoConfig config) {
    config.model().requirePath();
    config.data().requireTrain();
    config.evaluate().requireData();
    config.compare().strategies().forEach(AllocationStrategies::check);
  }
}
