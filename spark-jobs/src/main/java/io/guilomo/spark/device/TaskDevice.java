package io.guilomo.spark.device;

import io.guilomo.config.ClusterConfig.Device;
import java.util.Map;
import java.util.OptionalInt;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Where a task computes: Spark gives it a GPU as the resource {@code gpu}, and ND4J is told before
 * the task's first array. Whether there are GPUs at all is decided by the backend in the jar.
 */
public final class TaskDevice {

  /** The resource's name, which Kubernetes' and YARN's plugins use too. */
  public static final String GPU = "gpu";

  private static final String EXECUTOR_GPUS = "spark.executor.resource.gpu.amount";
  private static final String TASK_GPUS = "spark.task.resource.gpu.amount";

  private TaskDevice() {}

  /** Whether this process's ND4J computes on GPUs. */
  public static boolean cuda() {
    return Nd4j.getExecutioner().type() == ExecutionerType.CUDA;
  }

  /**
   * Refuses what the jar cannot do.
   *
   * @throws IllegalArgumentException with how to build the other jar
   */
  public static void check(Device device, boolean cuda) {
    if (device == Device.GPU && !cuda) {
      throw new IllegalArgumentException(
          "Cannot compute with cluster.device=gpu: the jar has ND4J's CPU backend; build it with mvn"
              + " -Pcuda package");
    }
    if (device == Device.CPU && cuda) {
      throw new IllegalArgumentException(
          "Cannot compute with cluster.device=cpu: the jar has ND4J's CUDA backend; build it with"
              + " mvn package");
    }
  }

  /**
   * Has the arrays of the running task lie on the GPU that Spark gave it.
   *
   * @throws IllegalArgumentException if there is none that it can use
   */
  public static void bind(Device device) {
    boolean cuda = cuda();
    check(device, cuda);
    choose(device, cuda, cuda ? Nd4j.getAffinityManager().getNumberOfDevices() : 0, addresses())
        .ifPresent(gpu -> Nd4j.getAffinityManager().unsafeSetDevice(gpu));
  }

  /** Addresses of the running task's GPUs; none where it has none. */
  public static String[] addresses() {
    TaskContext task = TaskContext.get();
    Map<String, ResourceInformation> resources = task == null ? Map.of() : task.resourcesJMap();
    return resources.containsKey(GPU) ? resources.get(GPU).addresses() : new String[0];
  }

  /**
   * The number by which ND4J knows the task's GPU.
   *
   * @param visible GPUs that ND4J sees
   * @param addresses that Spark gave the task
   */
  static OptionalInt choose(Device device, boolean cuda, int visible, String[] addresses) {
    if (!cuda) {
      return OptionalInt.empty();
    }
    if (addresses.length == 0) {
      if (device == Device.GPU) {
        throw new IllegalArgumentException(
            "Cannot compute with cluster.device=gpu: Spark gave the task no GPU; set "
                + EXECUTOR_GPUS
                + " and "
                + TASK_GPUS);
      }
      return OptionalInt.of(0);
    }
    // A container that shows one GPU calls it 0, whatever its address outside.
    String address = addresses[0];
    int number = visible == 1 ? 0 : address.matches("\\d{1,4}") ? Integer.parseInt(address) : -1;
    if (number < 0 || number >= visible) {
      throw new IllegalArgumentException(
          "Cannot use GPU %s: ND4J sees %d".formatted(address, visible));
    }
    return OptionalInt.of(number);
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
