package io.guilomo.spark.cli;

import java.util.List;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;

/** Levels of Spark's loggers. */
final class Logs {

  /**
   * Loggers that print the stack trace of a failed task, stage or write. The job that fails reports
   * the reason itself, in one line. {@code deploy/log4j2.properties} lists the same loggers.
   */
  static final List<String> OF_FAILURES =
      List.of(
          "org.apache.spark.executor.Executor",
          "org.apache.spark.scheduler.TaskSetManager",
          "org.apache.spark.scheduler.TaskResultGetter",
          "org.apache.spark.sql.execution.datasources.FileFormatWriter",
          "org.apache.spark.util.Utils");

  private Logs() {}

  /** Shows nothing but errors, each in one line, so that the user sees progress and results. */
  static void quiet() {
    Configurator.setRootLevel(Level.ERROR);
    OF_FAILURES.forEach(name -> Configurator.setLevel(name, Level.OFF));
  }
}
