package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.plan.AllocationStrategies;
import picocli.CommandLine.Command;

/** {@code doctor}. */
@Command(
    name = "doctor",
    description =
        "Looks whether a configuration can run here: machines, files, memory. Prints a line for each check.")
final class DoctorCommand extends JobCommand {

  DoctorCommand(JobRunner runner, Actions.Job action) {
    super(runner, action);
  }

  @Override
  void check(GuilomoConfig config) {
    config.model().requirePath();
    AllocationStrategies.check(config.allocation().strategy());
  }
}
