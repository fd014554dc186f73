package io.guilomo.spark.training;

import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.family.FrozenMemory;
import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.Kernels;
import io.guilomo.spark.device.TaskDevice;
import java.io.Serializable;
import org.apache.spark.util.SerializableConfiguration;

/**
 * How workers reach what is not sent to them.
 *
 * @param device each worker computes on
 * @param threads each worker may compute with
 * @param precision of the frozen weights
 * @param hadoop how executors reach the backbone
 */
public record WorkerSettings(
    Device device, int threads, Precision precision, SerializableConfiguration hadoop)
    implements Serializable {

  /** Is called at the begin of a task, before its first array. */
  public Kernels begin() {
    ComputeThreads.limit(threads);
    return TaskDevice.kernels(device);
  }

  /** Where the kernels of a task have the backbone. */
  public FrozenMemory memory(Kernels kernels) {
    return new FrozenMemory(kernels, precision.matrices());
  }
}
