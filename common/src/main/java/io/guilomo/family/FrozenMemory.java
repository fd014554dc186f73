package io.guilomo.family;

import io.guilomo.io.FloatMemory;
import io.guilomo.io.FloatSink;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.UserException;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Where frozen tensors are kept, and in which type: norms and biases are always 32-bit floats.
 *
 * @param kernels that compute with them
 * @param matrices type of linear weights and embeddings: {@link DataType#FLOAT} or {@link
 *     DataType#BFLOAT16}
 */
public record FrozenMemory(Kernels kernels, DataType matrices) {

  /** The host's memory, with 32-bit floats. */
  public static FrozenMemory host() {
    return new FrozenMemory(KernelSelection.portable(), DataType.FLOAT);
  }

  private boolean isHost() {
    return kernels.memory().equals(Kernels.HOST);
  }

  /**
   * An array of undefined content.
   *
   * @throws UserException if the kernels cannot compute with its type
   */
  INDArray allocate(long... shape) {
    long length = 1;
    for (long size : shape) {
      length *= size;
    }
    DataType type = shape.length > 1 ? matrices : DataType.FLOAT;
    return ArrayViews.stretch(kernels.allocate(type, length), 0, shape);
  }

  /** Fills an array of {@link #allocate}, or a slice of it. */
  FloatSink sink(INDArray array) {
    if (isHost()) {
      return FloatMemory.of(array);
    }
    return (position, values, count) ->
        kernels.write(values, ArrayViews.stretch(array, position, count));
  }
}
