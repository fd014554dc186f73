package io.guilomo.spark.cli;

import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;

/** Spark's own messages. */
final class Logs {

  private Logs() {}

  /** Leaves only errors: a user reads progress and results. */
  static void quiet() {
    Configurator.setRootLevel(Level.ERROR);
  }
}
