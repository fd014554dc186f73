package io.guilomo.spark.worker;

import io.guilomo.config.ClusterConfig;
import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.KernelsConfig.Products;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.model.UserException;
import io.guilomo.spark.input.JobContext;
import java.util.List;
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

  private static final String EXECUTOR_CORES = "spark.executor.cores";

  /**
   * Those of a training. On a cluster they are as many as were asked for, whether or not all
   * executors are there yet: a training that resumes, or another to compare it with, has as many.
   *
   * @throws UserException if they cannot compute where or with what they are told to, or nothing
   *     tells how many there are
   */
  public static Workers of(GuilomoConfig config, SparkContext spark) {
    int given = config.cluster().workers();
    return of(
        config, spark, given > 0 ? given : spark.isLocal() ? slots(spark) : asked(spark.getConf()));
  }

  /**
   * Those of a job whose results any number gives: as many as there are now, unless told.
   *
   * @throws UserException if they cannot compute where or with what they are told to
   */
  public static Workers ofAnyNumber(GuilomoConfig config, SparkContext spark) {
    int given = config.cluster().workers();
    return of(config, spark, given > 0 ? given : Math.max(1, spark.defaultParallelism()));
  }

  private static Workers of(GuilomoConfig config, SparkContext spark, int count) {
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
    int threads =
        cluster.threadsPerWorker() > 0 ? cluster.threadsPerWorker() : threads(spark, count);
    return new Workers(
        cluster.device(), count, threads, config.kernels().products(), config.model().precision());
  }

  private static int threads(SparkContext spark, int count) {
    int cores =
        spark.isLocal()
            ? Runtime.getRuntime().availableProcessors()
            : spark.getConf().getInt(EXECUTOR_CORES, 1);
    return Math.max(1, cores / Math.min(slots(spark), count));
  }

  /**
   * Tasks that a cluster runs concurrently once it has given what it was asked for.
   *
   * @throws UserException if it may give any number
   */
  static int asked(SparkConf conf) {
    boolean standalone = conf.get("spark.master").startsWith("spark://");
    String setting = standalone ? "spark.cores.max" : "spark.executor.instances";
    int asked = conf.getInt(setting, 0);
    // A standalone cluster's executor has all cores of its machine, unless it is told how many.
    int each = standalone ? conf.getInt(EXECUTOR_CORES, 0) : 1;
    int count = each > 0 ? asked / each * slots(conf) : asked / taskCores(conf);
    if (count < 1) {
      throw new UserException(
          "Cannot tell how many workers train on %s: cluster.workers is 0 and %s is %s; set one of"
              + " the two",
          conf.get("spark.master"), setting, conf.get(setting, "not set"));
    }
    return count;
  }

  /** A job's context in whose configuration the number is, so that it is recorded. */
  public JobContext fixedIn(JobContext context) {
    return context.config().cluster().workers() == count
        ? context
        : context.with(List.of("cluster.workers=" + count));
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
    return spark.isLocal() ? Math.max(1, spark.defaultParallelism()) : slots(spark.getConf());
  }

  private static int slots(SparkConf conf) {
    int cores = conf.getInt(EXECUTOR_CORES, 1) / taskCores(conf);
    int gpus = TaskDevice.executorGpus(conf);
    return Math.max(1, gpus > 0 ? Math.min(gpus, cores) : cores);
  }

  private static int taskCores(SparkConf conf) {
    return Math.max(1, conf.getInt("spark.task.cpus", 1));
  }
}
