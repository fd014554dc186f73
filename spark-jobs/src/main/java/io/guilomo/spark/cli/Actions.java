package io.guilomo.spark.cli;

import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.progress.ProgressListener;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/** What the commands run: the jobs themselves, or what a test puts in their place. */
record Actions(
    Job allocate,
    Job finetune,
    Job evaluate,
    Job predict,
    Job compare,
    Job doctor,
    Quickstart quickstart,
    Bench bench,
    Job scaling) {

  /** A job on Spark. Results are printed to {@code out}. */
  @FunctionalInterface
  interface Job {
    void run(SparkSession spark, GuilomoConfig config, ProgressListener progress, PrintStream out)
        throws Exception;
  }

  /** The quick start, with the model and data in a directory. */
  @FunctionalInterface
  interface Quickstart {
    void run(
        SparkSession spark,
        GuilomoConfig config,
        Path directory,
        ProgressListener progress,
        PrintStream out)
        throws Exception;
  }

  /** Measures the named cases, or all if none is named, and prints one line of JSON per case. */
  @FunctionalInterface
  interface Bench {
    void run(
        List<String> cases,
        boolean profiles,
        Device device,
        ProgressListener progress,
        PrintStream out)
        throws Exception;
  }
}
