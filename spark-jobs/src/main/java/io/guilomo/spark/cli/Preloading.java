package io.guilomo.spark.cli;

import org.apache.spark.sql.Encoders;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.LoggerFactory;

/** Loads in the background, while Spark starts, what a job would wait for seconds later. */
final class Preloading {

  private Preloading() {}

  /**
   * Begins. What fails here is met where the job needs it: the JVM's error has this as its cause.
   */
  static void begin() {
    Thread thread = new Thread(Preloading::load, "preloading");
    thread.setDaemon(true);
    thread.start();
  }

  private static void load() {
    try {
      // ND4J's native libraries, then Scala's reflection, with which Spark makes encoders.
      Nd4j.getExecutioner();
      Encoders.STRING();
    } catch (RuntimeException | LinkageError e) {
      LoggerFactory.getLogger(Preloading.class).debug("Could not preload", e);
    }
  }
}
