package io.guilomo.family;

import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.PretrainedClassifier;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Copies of backbones of the host for kernels under test, whose matrices are of the type that the
 * system property {@code guilomo.test.precision} names: {@code FLOAT}, as without it, or {@code
 * BFLOAT16}.
 */
public final class FrozenCopies {

  private FrozenCopies() {}

  /** A backbone of the host in the memory of kernels. */
  public static Backbone of(Backbone host, Kernels kernels) {
    return of(host, memory(kernels));
  }

  public static FrozenMemory memory(Kernels kernels) {
    String type = System.getProperty("guilomo.test.precision", DataType.FLOAT.name());
    return new FrozenMemory(kernels, DataType.valueOf(type));
  }

  /** A backbone of the host in another memory. */
  public static Backbone of(Backbone host, FrozenMemory memory) {
    if (memory.kernels().memory().equals(Kernels.HOST) && memory.matrices() == DataType.FLOAT) {
      return host;
    }
    Backbone copy =
        backbone(host.config(), host.digest(), tensors(host), memory, host.classifier());
    memory.kernels().finish();
    return copy;
  }

  /** A backbone of arrays of the host; an array of two names becomes one matrix. */
  public static Backbone backbone(
      BackboneConfig config, String digest, Map<String, INDArray> tensors) {
    return backbone(config, digest, tensors, FrozenMemory.host(), null);
  }

  /** As {@link #backbone(BackboneConfig, String, Map)}, with a classifier to start from. */
  public static Backbone backbone(
      BackboneConfig config, Map<String, INDArray> tensors, PretrainedClassifier classifier) {
    return backbone(config, "tiny", tensors, FrozenMemory.host(), classifier);
  }

  private static Backbone backbone(
      BackboneConfig config,
      String digest,
      Map<String, INDArray> tensors,
      FrozenMemory memory,
      PretrainedClassifier classifier) {
    Map<INDArray, FrozenMatrix> frozen = new IdentityHashMap<>();
    Map<String, FrozenMatrix> matrices = new HashMap<>();
    Map<String, INDArray> vectors = new HashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          if (tensor.rank() == 2) {
            matrices.put(
                name,
                frozen.computeIfAbsent(
                    tensor,
                    each -> KernelArrays.frozen(memory.kernels(), memory.matrices(), each)));
          } else {
            vectors.put(name, KernelArrays.array(memory.kernels(), tensor));
          }
        });
    return new Backbone(config, digest, matrices, vectors, classifier);
  }

  /** All tensors of a backbone of the host; those of two names are one array. */
  public static Map<String, INDArray> tensors(Backbone host) {
    Map<String, INDArray> tensors = new HashMap<>(host.vectors());
    host.matrices().forEach((name, matrix) -> tensors.put(name, KernelArrays.matrix(matrix)));
    return tensors;
  }
}
