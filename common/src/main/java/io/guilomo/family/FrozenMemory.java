package io.guilomo.family;

import io.guilomo.io.FloatSink;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Where frozen tensors are kept, and in which type: norms and biases are always 32-bit floats.
 *
 * @param kernels that compute with them
 * @param matrices type of linear weights and embeddings: {@link DataType#FLOAT}, {@link
 *     DataType#BFLOAT16} for two bytes each, or {@link DataType#BYTE} for one
 */
public record FrozenMemory(Kernels kernels, DataType matrices) {

  /** The host's memory, with 32-bit floats. */
  public static FrozenMemory host() {
    return new FrozenMemory(KernelSelection.portable(), DataType.FLOAT);
  }

  /**
   * A matrix for {@link FrozenMatrix#put} to fill.
   *
   * @param half whether its values are those of float16, which has more digits than bfloat16: they
   *     are kept in two bytes if the kernels can, and rounded to bfloat16 otherwise
   */
  FrozenMatrix matrix(long rows, long columns, boolean half) {
    boolean exact = half && matrices == DataType.BFLOAT16 && kernels.keepsHalf();
    return kernels.frozen(exact ? DataType.HALF : matrices, rows, columns);
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
