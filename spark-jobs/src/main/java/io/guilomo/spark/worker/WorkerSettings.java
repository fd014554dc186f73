package io.guilomo.spark.worker;

import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.config.KernelsConfig.Products;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.family.BackboneCache;
import io.guilomo.family.FrozenMemory;
import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.Backbone;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import org.apache.spark.util.SerializableConfiguration;

/**
 * How workers reach what is not sent to them.
 *
 * @param device each worker computes on
 * @param threads each worker may compute with
 * @param products library that multiplies on processors
 * @param precision of the frozen weights
 * @param hadoop how executors reach the backbone
 */
public record WorkerSettings(
    Device device,
    int threads,
    Products products,
    Precision precision,
    SerializableConfiguration hadoop)
    implements Serializable {

  /** Called at the start of a task, before its first array. */
  public Kernels begin() {
    ComputeThreads.limit(threads);
    KernelSelection.useProducts(products);
    return TaskDevice.kernels(device);
  }

  /** The backbone of a directory, in the memory of a task's kernels; loaded once per JVM. */
  public Backbone backbone(String path, Kernels kernels) {
    try {
      return BackboneCache.get(
          path, hadoop.value(), new FrozenMemory(kernels, precision.matrices()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
