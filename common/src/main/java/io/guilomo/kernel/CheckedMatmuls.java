package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArguments.frozen;
import static io.guilomo.kernel.KernelArguments.matrix;

import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link MatmulKernels} that check their arguments. */
interface CheckedMatmuls extends MatmulKernels {

  Operations operations();

  @Override
  default void product(
      INDArray a,
      boolean transposeA,
      INDArray b,
      boolean transposeB,
      INDArray c,
      boolean accumulate) {
    matrix("a", a);
    frozen("b", b, operations().frozenTypes());
    matrix("c", c);
    long inner = a.size(transposeA ? 0 : 1);
    if (inner != b.size(transposeB ? 1 : 0)
        || c.size(0) != a.size(transposeA ? 1 : 0)
        || c.size(1) != b.size(transposeB ? 0 : 1)) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot multiply [%d, %d]%s by [%d, %d]%s into [%d, %d]",
              a.size(0),
              a.size(1),
              transposeA ? "ᵀ" : "",
              b.size(0),
              b.size(1),
              transposeB ? "ᵀ" : "",
              c.size(0),
              c.size(1)));
    }
    operations().matmuls().product(a, transposeA, b, transposeB, c, accumulate);
  }

  @Override
  default void product(
      INDArray a, QuantizedMatrix b, boolean transposeB, INDArray c, boolean accumulate) {
    if (transposeB) {
      matmul(a, b, c, accumulate);
    } else {
      matmulBackward(a, b, c, accumulate);
    }
  }

  @Override
  default void matmul(INDArray x, FrozenMatrix weight, INDArray y, boolean accumulate) {
    frozen("weight", weight, operations().device());
    matrix("x", x, x.size(0), weight.columns());
    matrix("y", y, x.size(0), weight.rows());
    operations().matmuls().matmul(x, weight, y, accumulate);
  }

  @Override
  default void matmulBackward(INDArray dy, FrozenMatrix weight, INDArray dx, boolean accumulate) {
    frozen("weight", weight, operations().device());
    matrix("dy", dy, dy.size(0), weight.rows());
    matrix("dx", dx, dy.size(0), weight.columns());
    operations().matmuls().matmulBackward(dy, weight, dx, accumulate);
  }
}
