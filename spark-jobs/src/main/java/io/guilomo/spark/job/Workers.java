package io.guilomo.spark.job;

import io.guilomo.config.ClusterConfig;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;

/**
 * How many workers train at a time, and the threads of each.
 *
 * @param count partitions of every round
 * @param threads each may compute with
 */
record Workers(int count, int threads) {

  static Workers of(ClusterConfig config, SparkContext spark) {
    int count = config.workers() > 0 ? config.workers() : Math.max(1, spark.defaultParallelism());
    if (config.threadsPerWorker() > 0) {
      return new Workers(count, config.threadsPerWorker());
    }
    int cores =
        spark.isLocal()
            ? Runtime.getRuntime().availableProcessors()
            : spark.getConf().getInt("spark.executor.cores", 1);
    return new Workers(count, Math.max(1, cores / Math.min(slots(spark), count)));
  }

  /** Tasks that one process runs at a time, as far as the settings tell. */
  static int slots(SparkContext spark) {
    if (spark.isLocal()) {
      return spark.defaultParallelism();
    }
    SparkConf conf = spark.getConf();
    return Math.max(
        1, conf.getInt("spark.executor.cores", 1) / Math.max(1, conf.getInt("spark.task.cpus", 1)));
  }
}
