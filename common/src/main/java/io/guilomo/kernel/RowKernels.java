package io.guilomo.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Gathering, scattering, pooling and summing the rows of matrices. */
public interface RowKernels {

  /**
   * {@code result[i] = table[rows[i]]}, or {@code +=}.
   *
   * @param table may be of 16-bit floats, see {@link Device#frozen}
   */
  void gatherRows(INDArray table, int[] rows, INDArray result, boolean accumulate);

  /** As {@link #gatherRows(INDArray, int[], INDArray, boolean)}, from a frozen table. */
  default void gatherRows(FrozenMatrix table, int[] rows, INDArray result, boolean accumulate) {
    if (table instanceof QuantizedMatrix quantized) {
      gatherRows(quantized, rows, result, accumulate);
    } else {
      gatherRows(FrozenArray.matrix(table), rows, result, accumulate);
    }
  }

  /**
   * As {@link #gatherRows(INDArray, int[], INDArray, boolean)}, from a table of 8-bit integers.
   *
   * @throws IllegalArgumentException where the memory is not the host's
   */
  default void gatherRows(QuantizedMatrix table, int[] rows, INDArray result, boolean accumulate) {
    throw new IllegalArgumentException("Cannot gather 8-bit integers here");
  }

  /** {@code result[rows[i]] += source[i]}; no row twice. */
  void scatterAddRows(INDArray source, int[] rows, INDArray result);

  /** {@code result[rows[i]] = source[i]}; no row twice. */
  void scatterRows(INDArray source, int[] rows, INDArray result);

  /** {@code target = source}; same shape. */
  void copy(INDArray source, INDArray target);

  /** {@code y += bias} on every row. */
  void addBias(INDArray y, INDArray bias);

  /** Mean of each sequence's rows. {@code result [sequences, columns]}. */
  void meanPool(INDArray x, int[] starts, INDArray result);

  /**
   * Backward of {@link #meanPool}: each row of a sequence of {@code n} tokens is set to {@code
   * gradient / n}.
   */
  void meanPoolBackward(INDArray gradient, int[] starts, INDArray result);

  /** {@code result [columns] = Σ_rows x}. */
  void columnSums(INDArray x, INDArray result);
}
