package io.guilomo.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Products of matrices. */
public interface MatmulKernels {

  /**
   * {@code c = a' · b'} or {@code c += a' · b'}, where a prime means transposed if so flagged.
   *
   * @param b may be of 16-bit floats, see {@link Device#frozen}
   * @param c {@code [m, n]}
   */
  void product(
      INDArray a,
      boolean transposeA,
      INDArray b,
      boolean transposeB,
      INDArray c,
      boolean accumulate);

  /**
   * As {@link #product(INDArray, boolean, INDArray, boolean, INDArray, boolean)}, with a matrix of
   * 8-bit integers. Activations are not rounded.
   *
   * @throws IllegalArgumentException where the memory is not the host's
   */
  default void product(
      INDArray a, QuantizedMatrix b, boolean transposeB, INDArray c, boolean accumulate) {
    throw new IllegalArgumentException("Cannot multiply 8-bit integers here");
  }

  /**
   * Forward pass of a frozen linear module, {@code y = x · Wᵀ} or {@code y += x · Wᵀ}.
   *
   * @param x {@code [T, inputs]}
   * @param weight {@code W [outputs, inputs]}
   * @param y {@code [T, outputs]}
   */
  default void matmul(INDArray x, FrozenMatrix weight, INDArray y, boolean accumulate) {
    if (weight instanceof QuantizedMatrix quantized) {
      product(x, quantized, true, y, accumulate);
    } else {
      product(x, false, FrozenArray.matrix(weight), true, y, accumulate);
    }
  }

  /**
   * Backward of {@link #matmul}, {@code dx = dy · W} or {@code dx += dy · W}.
   *
   * @param dy {@code [T, outputs]}
   * @param weight {@code W [outputs, inputs]}
   * @param dx {@code [T, inputs]}
   */
  default void matmulBackward(INDArray dy, FrozenMatrix weight, INDArray dx, boolean accumulate) {
    if (weight instanceof QuantizedMatrix quantized) {
      product(dy, quantized, false, dx, accumulate);
    } else {
      product(dy, false, FrozenArray.matrix(weight), false, dx, accumulate);
    }
  }
}
