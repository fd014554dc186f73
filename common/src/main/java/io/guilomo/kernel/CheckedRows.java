package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArguments.frozen;
import static io.guilomo.kernel.KernelArguments.indices;
import static io.guilomo.kernel.KernelArguments.matrix;
import static io.guilomo.kernel.KernelArguments.sequences;
import static io.guilomo.kernel.KernelArguments.vector;

import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link RowKernels} that check their arguments. */
interface CheckedRows extends RowKernels {

  Operations operations();

  @Override
  default void gatherRows(INDArray table, int[] rows, INDArray result, boolean accumulate) {
    frozen("table", table, operations().frozenTypes());
    matrix("result", result, rows.length, table.size(1));
    indices("row", rows, table.size(0));
    operations().rows().gatherRows(table, rows, result, accumulate);
  }

  @Override
  default void gatherRows(FrozenMatrix table, int[] rows, INDArray result, boolean accumulate) {
    frozen("table", table, operations().device());
    matrix("result", result, rows.length, table.columns());
    indices("row", rows, table.rows());
    operations().rows().gatherRows(table, rows, result, accumulate);
  }

  @Override
  default void gatherRows(QuantizedMatrix table, int[] rows, INDArray result, boolean accumulate) {
    gatherRows((FrozenMatrix) table, rows, result, accumulate);
  }

  @Override
  default void scatterAddRows(INDArray source, int[] rows, INDArray result) {
    matrix("result", result);
    matrix("source", source, rows.length, result.size(1));
    indices("row", rows, result.size(0));
    operations().rows().scatterAddRows(source, rows, result);
  }

  @Override
  default void scatterRows(INDArray source, int[] rows, INDArray result) {
    matrix("result", result);
    matrix("source", source, rows.length, result.size(1));
    indices("row", rows, result.size(0));
    operations().rows().scatterRows(source, rows, result);
  }

  @Override
  default void copy(INDArray source, INDArray target) {
    if (source.rank() == 2 && target.rank() == 2) {
      matrix("source", source);
      matrix("target", target, source.size(0), source.size(1));
    } else {
      vector("source", source);
      vector("target", target, source.length());
    }
    operations().rows().copy(source, target);
  }

  @Override
  default void addBias(INDArray y, INDArray bias) {
    matrix("y", y);
    vector("bias", bias, y.size(1));
    operations().rows().addBias(y, bias);
  }

  @Override
  default void meanPool(INDArray x, int[] starts, INDArray result) {
    matrix("x", x);
    sequences(starts, x.size(0));
    matrix("result", result, starts.length - 1, x.size(1));
    operations().rows().meanPool(x, starts, result);
  }

  @Override
  default void meanPoolBackward(INDArray gradient, int[] starts, INDArray result) {
    matrix("result", result);
    sequences(starts, result.size(0));
    matrix("gradient", gradient, starts.length - 1, result.size(1));
    operations().rows().meanPoolBackward(gradient, starts, result);
  }

  @Override
  default void columnSums(INDArray x, INDArray result) {
    matrix("x", x);
    vector("result", result, x.size(1));
    operations().rows().columnSums(x, result);
  }
}
