package io.guilomo.spark.worker;

import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.UserException;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device a task computes on: the GPU that Spark gave it as the resource {@code gpu}, or the
 * processor.
 */
public final class TaskDevice {

  /** The resource's name, which Kubernetes' and YARN's plugins use too. */
  public static final String GPU = "gpu";

  private static final String EXECUTOR_GPUS = "spark.executor.resource.gpu.amount";
  private static final String TASK_GPUS = "spark.task.resource.gpu.amount";

  /** How Spark calls the driver among the executors. */
  private static final String DRIVER = "driver";

  private static final Logger LOG = LoggerFactory.getLogger(TaskDevice.class);

  private TaskDevice() {}

  /**
   * The kernels of the running task.
   *
   * @throws UserException if it must compute on a GPU and has none that it can use
   */
  public static Kernels kernels(Device device) {
    if (device == Device.CPU) {
      return KernelSelection.best();
    }
    Optional<String> reason = KernelSelection.gpuUnavailable();
    if (reason.isPresent()) {
      check(device, reason);
      return KernelSelection.best();
    }
    int gpu = choose(device, inDriver(), KernelSelection.gpuCount(), addresses());
    Kernels kernels = KernelSelection.gpu(gpu);
    LOG.info("computing on {}", kernels.memory());
    return kernels;
  }

  /**
   * Refuses a GPU that cannot be used.
   *
   * @param reason why there is none; empty if there is one
   */
  public static void check(Device device, Optional<String> reason) {
    if (device == Device.GPU && reason.isPresent()) {
      throw new UserException("Cannot compute with cluster.device=gpu: " + reason.get());
    }
  }

  /** Whether the task runs in the driver itself, for which Spark schedules no GPUs. */
  private static boolean inDriver() {
    return SparkEnv.get() == null || SparkEnv.get().executorId().equals(DRIVER);
  }

  /** Addresses of the running task's GPUs; none where it has none. */
  public static String[] addresses() {
    TaskContext task = TaskContext.get();
    Map<String, ResourceInformation> resources = task == null ? Map.of() : task.resourcesJMap();
    return resources.containsKey(GPU) ? resources.get(GPU).addresses() : new String[0];
  }

  /**
   * The number of the task's GPU among those that the process sees.
   *
   * @param inDriver whether it runs in the driver
   * @param visible GPUs that the process sees
   * @param addresses that Spark gave the task
   */
  static int choose(Device device, boolean inDriver, int visible, String[] addresses) {
    if (addresses.length == 0) {
      if (device == Device.GPU && !inDriver) {
        throw new UserException(
            "Cannot compute with cluster.device=gpu: Spark gave the task no GPU; set "
                + EXECUTOR_GPUS
                + " and "
                + TASK_GPUS);
      }
      return 0;
    }
    // A container that shows one GPU calls it 0, whatever its address outside.
    String address = addresses[0];
    int number = visible == 1 ? 0 : address.matches("\\d{1,4}") ? Integer.parseInt(address) : -1;
    if (number < 0 || number >= visible) {
      throw new UserException("Cannot use GPU %s: the process sees %d".formatted(address, visible));
    }
    return number;
  }

  /**
   * Whether workers will compute on a GPU, as far as the driver can tell. Which of a cluster's
   * executors have one is not known if the setting leaves it to them.
   */
  public static boolean expected(Device device, SparkContext spark) {
    return switch (device) {
      case CPU -> false;
      case GPU -> true;
      case AUTO -> spark.isLocal() && KernelSelection.gpuUnavailable().isEmpty();
    };
  }

  /** GPUs that an executor has, as its settings say. */
  public static int executorGpus(SparkConf conf) {
    return (int) conf.getDouble(EXECUTOR_GPUS, 0);
  }

  /** Whether stages can ask for a GPU for each of their tasks. */
  public static boolean scheduled(SparkContext spark) {
    return !spark.isLocal() && executorGpus(spark.getConf()) > 0;
  }

  /** What a stage asks for so that no two of its tasks share a GPU. */
  public static ResourceProfile oneTaskAGpu(SparkConf conf) {
    TaskResourceRequests requests = new TaskResourceRequests();
    requests.cpus(Math.max(1, conf.getInt("spark.task.cpus", 1)));
    requests.resource(GPU, 1);
    return new ResourceProfileBuilder().require(requests).build();
  }
}
