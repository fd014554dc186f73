package io.guilomo.spark.cli;

import org.apache.spark.sql.Encoders;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.LoggerFactory;

/** Loads libraries in the background while Spark starts; a job would wait for them later. */
final class Preloading {

  private Preloading() {}

  /**
   * Starts loading. A failure surfaces when the job needs the library: the JVM's error names this
   * one as its cause.
   */
  static void begin() {
    Thread thread = new Thread(Preloading::load, "preloading");
    thread.setDaemon(true);
    thread.start();
  }

  private static void load() {
    try {
      // ND4J's native libraries, then Scala's reflection, which Spark needs to derive encoders.
      Nd4j.getExecutioner();
      Encoders.STRING();
    } catch (RuntimeException | LinkageError e) {
      LoggerFactory.getLogger(Preloading.class).debug("Could not preload", e);
    }
  }
}
