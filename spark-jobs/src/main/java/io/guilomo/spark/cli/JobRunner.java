package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.progress.ProgressListener;
import java.io.PrintStream;
import java.util.function.Function;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/** Starts Spark, runs a job, and stops Spark. Progress goes to one stream, results to the other. */
final class JobRunner {

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

  /** For commands that need no Spark. */
  JobRunner(PrintStream out, PrintStream err, boolean terminal) {
    this(null, out, err, terminal);
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
      Logs.quiet();
    }
    ProgressListener progress = terminal ? new BarProgress(err) : new LineProgress(err);
    try {
      body.run(progress, out);
    } finally {
      progress.end();
      out.flush();
    }
  }
}
