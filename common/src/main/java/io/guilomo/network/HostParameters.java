package io.guilomo.network;

import io.guilomo.io.FloatMemory;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The flat vector {@code [a | w]} of a network's parameters in the memory of the host, with its
 * gradient and the moments of AdamW, {@code [m_a | v_a | m_w | v_w]}, which are allocated when they
 * are first asked for.
 */
public final class HostParameters {

  private final INDArray parameters;
  private INDArray gradient;
  private INDArray moments;

  /**
   * @param parameters of all parts, in their order: {@code [1, size]}
   * @param moments {@code [1, 2 · size]}; null for zeros
   */
  public HostParameters(INDArray parameters, INDArray moments) {
    this.parameters = parameters;
    this.moments = moments;
  }

  /**
   * What a network starts with: values drawn from the definition's seed, and the checkpoint's
   * classifier where the {@linkplain NetworkDefinition#startsFromPretrainedHead definition} has it.
   *
   * @param classifier of the checkpoint; null where the definition does not need it
   */
  public static HostParameters initial(
      NetworkDefinition definition, PretrainedClassifier classifier) {
    HostParameters drawn = initial(definition);
    if (definition.startsFromPretrainedHead()) {
      classifier.copyTo(NamedParameters.of(definition, drawn.parameters()));
    }
    return drawn;
  }

  /** Values drawn from the definition's seed alone. */
  public static HostParameters initial(NetworkDefinition definition) {
    List<ParameterLayout> layouts =
        PartSpec.all(definition).stream().map(spec -> spec.build().parameters()).toList();
    long size = layouts.stream().mapToLong(ParameterLayout::size).sum();
    INDArray parameters = Nd4j.createUninitialized(DataType.FLOAT, 1, size);
    long first = 0;
    for (ParameterLayout layout : layouts) {
      List<ParameterLayout.Slice> slices = layout.slices();
      // Drawn concurrently, but written by this thread: a sink is not thread-safe.
      List<float[]> drawn =
          slices.parallelStream()
              .map(slice -> slice.initialisation().values(definition.seed(), slice))
              .toList();
      FloatMemory memory = FloatMemory.of(parameters);
      for (int i = 0; i < drawn.size(); i++) {
        long position = first + slices.get(i).offset();
        memory.put(position, drawn.get(i), drawn.get(i).length);
      }
      first += layout.size();
    }
    return new HostParameters(parameters, null);
  }

  /** Parameters in all. */
  public long size() {
    return parameters.length();
  }

  public INDArray parameters() {
    return parameters;
  }

  /** As the network last downloaded it, or of its last pass where it computes on the host. */
  public INDArray gradient() {
    if (gradient == null) {
      gradient = Nd4j.zeros(DataType.FLOAT, 1, size());
    }
    return gradient;
  }

  public INDArray moments() {
    if (moments == null) {
      moments = Nd4j.zeros(DataType.FLOAT, 1, 2 * size());
    }
    return moments;
  }
}
