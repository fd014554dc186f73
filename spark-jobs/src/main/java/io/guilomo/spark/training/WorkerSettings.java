package io.guilomo.spark.training;

import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.spark.device.TaskDevice;
import java.io.Serializable;
import org.apache.spark.util.SerializableConfiguration;

/**
 * How workers reach what is not sent to them.
 *
 * @param device each worker computes on
 * @param threads each worker may compute with
 * @param hadoop how executors reach the backbone
 */
public record WorkerSettings(Device device, int threads, SerializableConfiguration hadoop)
    implements Serializable {

  /** Is called at the begin of a task, before its first array. */
  public Kernels begin() {
    TaskDevice.bind(device);
    ComputeThreads.limit(threads);
    return KernelSelection.best();
  }
}
