package io.guilomo.kernel;

import org.nd4j.linalg.api.buffer.DataType;

/**
 * A matrix that never changes once it is filled: the weight of a linear module {@code [outputs,
 * inputs]}, or a table of embeddings {@code [entries, features]}. It comes from {@link
 * Device#frozen}, whose backend may keep it packed or narrowed: only {@link MatmulKernels#matmul},
 * {@link MatmulKernels#matmulBackward} and {@link RowKernels#gatherRows(FrozenMatrix, int[],
 * org.nd4j.linalg.api.ndarray.INDArray, boolean) gatherRows} read it. One handle serves both a
 * table of embeddings and the head that is tied to it.
 */
public interface FrozenMatrix {

  /** The {@link Device#memory} that holds it. */
  String memory();

  long rows();

  long columns();

  /** Type that its elements are rounded to. */
  DataType type();

  /** Size in the memory of its device. */
  long bytes();

  /**
   * Sets elements in row-major order, rounded to nearest, ties to even. Each element is set once,
   * all before the first use.
   *
   * @param position of the first of them, {@code row · columns + column}
   * @param values the elements; may be reused once the method has returned
   * @param count how many of {@code values}
   * @throws IllegalArgumentException if they reach beyond the matrix
   */
  void put(long position, float[] values, int count);
}
