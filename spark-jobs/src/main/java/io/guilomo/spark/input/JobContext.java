package io.guilomo.spark.input;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.catalog.Publications;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.tracking.JobTracker;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * What every job is given.
 *
 * @param publications to the user's catalog, of all jobs of a command
 * @param tracker records the jobs
 */
public record JobContext(
    SparkSession spark,
    GuilomoConfig config,
    ProgressListener progress,
    Publications publications,
    JobTracker tracker) {

  /** Jobs that are published and recorded where the configuration says. */
  public JobContext(SparkSession spark, GuilomoConfig config, ProgressListener progress) {
    this(
        spark,
        config,
        progress,
        new Publications(spark, config.output(), progress::message),
        JobTracker.of(config.tracking(), progress::message));
  }

  public SparkContext sparkContext() {
    return spark.sparkContext();
  }

  /** How file systems are reached. */
  public Configuration hadoop() {
    return spark.sparkContext().hadoopConfiguration();
  }

  /** Tells the user something, on one line. */
  public void message(String line) {
    progress.message(line);
  }

  /** The same with some keys changed, each {@code path=value}. */
  public JobContext with(List<String> changes) {
    return new JobContext(spark, config.with(changes), progress, publications, tracker);
  }

  /** The same for jobs that are parts of one. */
  public JobContext within(JobTracker job) {
    return new JobContext(spark, config, progress, publications.ofParts(), job);
  }
}
