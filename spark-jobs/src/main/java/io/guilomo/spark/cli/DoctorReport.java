package io.guilomo.spark.cli;

import io.guilomo.model.UserException;
import io.guilomo.spark.doctor.Check;
import io.guilomo.spark.doctor.Check.Status;
import java.io.PrintStream;
import java.util.List;

/** Prints what {@code doctor} found. */
final class DoctorReport {

  private DoctorReport() {}

  /**
   * Prints a line for each check.
   *
   * @throws UserException if something cannot work
   */
  static void print(List<Check> checks, PrintStream out) {
    checks.forEach(check -> out.println(check.line()));
    List<Check> failed = checks.stream().filter(check -> check.status() == Status.CANNOT).toList();
    if (!failed.isEmpty()) {
      throw new UserException(
          "Cannot run this configuration here: %d of %d checks say so, the first is %s"
              .formatted(failed.size(), checks.size(), failed.get(0).name()));
    }
  }
}
