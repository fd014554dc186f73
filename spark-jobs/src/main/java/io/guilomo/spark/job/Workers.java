package io.guilomo.spark.job;

import io.guilomo.config.ClusterConfig;
import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.spark.device.TaskDevice;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;

/**
 * How many workers train at a time, and what each computes with.
 *
 * @param device where
 * @param count partitions of every round
 * @param threads each may compute with
 */
record Workers(Device device, int count, int threads) {

  static Workers of(ClusterConfig config, SparkContext spark) {
    TaskDevice.check(config.device(), TaskDevice.cuda());
    int count = config.workers() > 0 ? config.workers() : Math.max(1, spark.defaultParallelism());
    if (config.threadsPerWorker() > 0) {
      return new Workers(config.device(), count, config.threadsPerWorker());
    }
    int cores =
        spark.isLocal()
            ? Runtime.getRuntime().availableProcessors()
            : spark.getConf().getInt("spark.executor.cores", 1);
    return new Workers(config.device(), count, Math.max(1, cores / Math.min(slots(spark), count)));
  }

  /** Tasks that one process runs at a time, as far as the settings tell. */
  static int slots(SparkContext spark) {
    if (spark.isLocal()) {
      return spark.defaultParallelism();
    }
    SparkConf conf = spark.getConf();
    int cores =
        conf.getInt("spark.executor.cores", 1) / Math.max(1, conf.getInt("spark.task.cpus", 1));
    int gpus = TaskDevice.executorGpus(conf);
    return Math.max(1, gpus > 0 ? Math.min(gpus, cores) : cores);
  }
}
