package io.guilomo.spark.cli;

import java.util.List;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;

/** Spark's own messages. */
final class Logs {

  /**
   * Loggers that print the stack trace of what a task, stage or write fails with, which the job
   * that fails of it tells in a line of its own. {@code deploy/log4j2.properties} has the same.
   */
  static final List<String> OF_FAILURES =
      List.of(
          "org.apache.spark.executor.Executor",
          "org.apache.spark.scheduler.TaskSetManager",
          "org.apache.spark.scheduler.TaskResultGetter",
          "org.apache.spark.sql.execution.datasources.FileFormatWriter",
          "org.apache.spark.util.Utils");

  private Logs() {}

  /** Leaves only errors, each on one line: a user reads progress and results. */
  static void quiet() {
    Configurator.setRootLevel(Level.ERROR);
    OF_FAILURES.forEach(name -> Configurator.setLevel(name, Level.OFF));
  }
}
