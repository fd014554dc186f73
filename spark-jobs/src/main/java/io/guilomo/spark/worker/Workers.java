package io.guilomo.spark.worker;

import io.guilomo.config.ClusterConfig;
import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.KernelsConfig.Products;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.model.UserException;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.util.SerializableConfiguration;

/**
 * How many workers train concurrently, and what each computes with.
 *
 * @param device each computes on
 * @param count partitions of every round
 * @param threads each may use
 * @param products library that multiplies on processors
 * @param precision of the frozen weights
 */
public record Workers(
    Device device, int count, int threads, Products products, Precision precision) {

  /**
   * @throws UserException if they cannot compute where or with what they are told to
   */
  public static Workers of(GuilomoConfig config, SparkContext spark) {
    ClusterConfig cluster = config.cluster();
    if (config.model().precision() == Precision.INT8
        && TaskDevice.expected(cluster.device(), spark)) {
      throw new UserException(
          "Cannot keep weights as int8 on GPUs, which multiply none here: set"
              + " model.precision=bfloat16, or cluster.device=cpu");
    }
    if (spark.isLocal()) {
      TaskDevice.check(cluster.device(), KernelSelection.gpuUnavailable());
    }
    int count = cluster.workers() > 0 ? cluster.workers() : Math.max(1, spark.defaultParallelism());
    int threads =
        cluster.threadsPerWorker() > 0 ? cluster.threadsPerWorker() : threads(spark, count);
    return new Workers(
        cluster.device(), count, threads, config.kernels().products(), config.model().precision());
  }

  private static int threads(SparkContext spark, int count) {
    int cores =
        spark.isLocal()
            ? Runtime.getRuntime().availableProcessors()
            : spark.getConf().getInt("spark.executor.cores", 1);
    return Math.max(1, cores / Math.min(slots(spark), count));
  }

  /** Another number of workers with the same settings. */
  public Workers of(int other) {
    return new Workers(device, other, threads, products, precision);
  }

  /** What each needs to start. */
  public WorkerSettings settings(SparkContext spark) {
    return new WorkerSettings(
        device,
        threads,
        products,
        precision,
        new SerializableConfiguration(spark.hadoopConfiguration()));
  }

  /** Tasks that one process runs concurrently, as far as the settings tell. */
  public static int slots(SparkContext spark) {
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
