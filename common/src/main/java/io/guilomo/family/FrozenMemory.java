package io.guilomo.family;

import io.guilomo.io.FloatSink;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.FrozenMatrix;
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

  /**
   * A matrix for {@link FrozenMatrix#put} to fill.
   *
   * @throws UserException if the kernels cannot compute with its type
   */
  FrozenMatrix matrix(long rows, long columns) {
    return kernels.frozen(matrices, rows, columns);
  }

  /** A vector with undefined contents. */
  INDArray vector(long length) {
    return kernels.allocate(DataType.FLOAT, length);
  }

  /** Fills a vector. */
  FloatSink sink(INDArray vector) {
    return (position, values, count) ->
        kernels.write(values, ArrayViews.slice(vector, position, count));
  }
}
