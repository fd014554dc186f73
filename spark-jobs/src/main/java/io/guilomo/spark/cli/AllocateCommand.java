package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.plan.AllocationStrategies;
import picocli.CommandLine.Command;

/** {@code allocate}. */
@Command(
    name = "allocate",
    description = "Learns how many experts of which rank each module gets, and writes the plan.")
final class AllocateCommand extends JobCommand {

  AllocateCommand(JobRunner runner, Actions.Job action) {
    super(runner, action);
  }

  @Override
  void check(GuilomoConfig config) {
    config.model().requirePath();
    AllocationStrategies.check(config.allocation().strategy());
    if (AllocationStrategies.learns(config.allocation().strategy())) {
      config.data().requireTrain();
    }
  }
}
