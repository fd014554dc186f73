package io.guilomo.spark.training;

import io.guilomo.backbone.FrozenMemory;
import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.spark.device.TaskDevice;
import java.io.Serializable;
import org.apache.spark.util.SerializableConfiguration;
import org.nd4j.linalg.api.buffer.DataType;

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
    TaskDevice.bind(device);
    ComputeThreads.limit(threads);
    return KernelSelection.best();
  }

  /** Where the kernels of a task have the backbone. */
  public FrozenMemory memory(Kernels kernels) {
    return new FrozenMemory(
        kernels, precision == Precision.BFLOAT16 ? DataType.BFLOAT16 : DataType.FLOAT);
  }
}
