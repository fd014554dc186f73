package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.progress.ProgressListener;
import java.io.PrintStream;
import java.util.List;
import java.util.function.Function;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.LoggerFactory;

/** Starts Spark, runs a job, and stops Spark. Progress goes to one stream, results to the other. */
final class JobRunner {

  /**
   * Loggers that print the stack trace of a failed task, stage or write. The job that fails reports
   * the reason itself, in one line. {@code deploy/log4j2.properties} lists the same loggers.
   */
  static final List<String> LOGGERS_OF_FAILURES =
      List.of(
          "org.apache.spark.executor.Executor",
          "org.apache.spark.scheduler.TaskSetManager",
          "org.apache.spark.scheduler.TaskResultGetter",
          "org.apache.spark.sql.execution.datasources.FileFormatWriter",
          "org.apache.spark.util.Utils");

  /** Off: a round broadcasts floats, which compression hardly shrinks. */
  private static final String COMPRESS = "spark.broadcast.compress";

  private final Function<SparkSession.Builder, SparkSession> sessions;
  private final PrintStream out;
  private final PrintStream err;
  private final boolean terminal;

  @FunctionalInterface
  interface Body {
    void run(SparkSession spark, ProgressListener progress, PrintStream out) throws Exception;
  }

  @FunctionalInterface
  interface LocalBody {
    void run(ProgressListener progress, PrintStream out) throws Exception;
  }

  JobRunner(
      Function<SparkSession.Builder, SparkSession> sessions,
      PrintStream out,
      PrintStream err,
      boolean terminal) {
    this.sessions = sessions;
    this.out = out;
    this.err = err;
    this.terminal = terminal;
  }

  void run(String name, boolean verbose, Body body) throws Exception {
    runWithoutSpark(
        verbose,
        (progress, results) -> {
          // spark-submit sets master, memory and cores.
          SparkSession.Builder builder = SparkSession.builder().appName("guilomo " + name);
          if (!new SparkConf().contains(COMPRESS)) {
            builder.config(COMPRESS, "false");
          }
          if (!verbose) {
            builder
                .config("spark.log.level", "ERROR")
                .config("spark.ui.showConsoleProgress", "false");
          }
          try (SparkSession spark = sessions.apply(builder)) {
            body.run(spark, progress, results);
          }
        });
  }

  void run(String name, boolean verbose, Actions.Job job, GuilomoConfig config) throws Exception {
    run(name, verbose, (spark, progress, results) -> job.run(spark, config, progress, results));
  }

  void runWithoutSpark(boolean verbose, LocalBody body) throws Exception {
    if (!verbose) {
      quiet();
    }
    ProgressListener progress = terminal ? new BarProgress(err) : new LineProgress(err);
    try {
      body.run(progress, out);
    } finally {
      progress.end();
      out.flush();
    }
  }

  /** Shows nothing but errors, each in one line, so that the user sees progress and results. */
  private static void quiet() {
    Configurator.setRootLevel(Level.ERROR);
    LOGGERS_OF_FAILURES.forEach(name -> Configurator.setLevel(name, Level.OFF));
  }

  /**
   * Loads libraries in the background while Spark starts; a job would wait for them later. A
   * failure surfaces when the job needs the library: the JVM's error names this one as its cause.
   */
  static void preload() {
    Thread thread = new Thread(JobRunner::load, "preloading");
    thread.setDaemon(true);
    thread.start();
  }

  private static void load() {
    try {
      // ND4J's native libraries, then Scala's reflection, which Spark needs to derive encoders.
      Nd4j.getExecutioner();
      Encoders.STRING();
    } catch (RuntimeException | LinkageError e) {
      LoggerFactory.getLogger(JobRunner.class).debug("Could not preload", e);
    }
  }
}
