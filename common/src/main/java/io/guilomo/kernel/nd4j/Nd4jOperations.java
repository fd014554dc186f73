package io.guilomo.kernel.nd4j;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.HostOperations;
import io.guilomo.kernel.MatmulKernels;
import io.guilomo.kernel.QuantizedMatrix;
import io.guilomo.kernel.RowKernels;
import java.util.Arrays;
import java.util.function.IntConsumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;

/** Matmuls and rows, and the helpers of the other portable operations. */
final class Nd4jOperations extends HostOperations implements MatmulKernels, RowKernels {

  @Override
  public boolean splitsBatches() {
    return false;
  }

  @Override
  public void runConcurrently(int replicas, IntConsumer body) {
    for (int replica = 0; replica < replicas; replica++) {
      body.accept(replica);
    }
  }

  @Override
  public void product(
      INDArray a,
      boolean transposeA,
      INDArray b,
      boolean transposeB,
      INDArray c,
      boolean accumulate) {
    INDArray wide = wide(b);
    INDArray transposed = c.transpose();
    if (transposed.ordering() == 'f' && Shape.hasDefaultStridesForShape(transposed)) {
      Nd4j.gemm(wide, a, transposed, !transposeB, !transposeA, 1, accumulate ? 1 : 0);
      return;
    }
    INDArray result =
        Nd4j.createUninitialized(DataType.FLOAT, new long[] {c.size(0), c.size(1)}, 'f');
    Nd4j.gemm(a, wide, result, transposeA, transposeB, 1, 0);
    write(result, c, accumulate);
  }

  @Override
  public void gatherRows(INDArray table, int[] rows, INDArray result, boolean accumulate) {
    write(wide(Nd4j.pullRows(table, 1, rows, 'c')), result, accumulate);
  }

  @Override
  public void product(
      INDArray a, QuantizedMatrix b, boolean transposeB, INDArray c, boolean accumulate) {
    product(a, false, wide(b.elements(), b.scales()), transposeB, c, accumulate);
  }

  @Override
  public void gatherRows(QuantizedMatrix table, int[] rows, INDArray result, boolean accumulate) {
    INDArray elements = Nd4j.pullRows(table.elements(), 1, rows, 'c');
    INDArray scales = Nd4j.pullRows(column(table.scales()), 1, rows, 'c');
    write(wide(elements, scales), result, accumulate);
  }

  /** Rows of 8-bit integers, each times its scale. */
  private static INDArray wide(INDArray elements, INDArray scales) {
    return elements.castTo(DataType.FLOAT).muliColumnVector(column(scales));
  }

  /** A matrix that is only read, with 32-bit floats. */
  private static INDArray wide(INDArray matrix) {
    return matrix.dataType() == DataType.FLOAT ? matrix : matrix.castTo(DataType.FLOAT);
  }

  @Override
  public void scatterAddRows(INDArray source, int[] rows, INDArray result) {
    // No row comes twice: the new rows are known, and each result row is either one of them or its
    // old self.
    int[] origin = new int[(int) result.size(0)];
    for (int i = 0; i < origin.length; i++) {
      origin[i] = i;
    }
    for (int i = 0; i < rows.length; i++) {
      origin[rows[i]] = origin.length + i;
    }
    INDArray sums = Nd4j.pullRows(result, 1, rows, 'c').addi(source);
    result.assign(Nd4j.pullRows(Nd4j.vstack(result, sums), 1, origin, 'c'));
  }

  @Override
  public void scatterRows(INDArray source, int[] rows, INDArray result) {
    for (int i = 0; i < rows.length; i++) {
      rows(result, rows[i], rows[i] + 1).assign(rows(source, i, i + 1));
    }
  }

  @Override
  public void copy(INDArray source, INDArray target) {
    target.assign(source.reshape(target.shape()));
  }

  @Override
  public void addBias(INDArray y, INDArray bias) {
    y.addi(row(bias));
  }

  @Override
  public void meanPool(INDArray x, int[] starts, INDArray result) {
    for (int i = 0; i + 1 < starts.length; i++) {
      rows(result, i, i + 1).assign(rows(x, starts[i], starts[i + 1]).mean(true, 0));
    }
  }

  @Override
  public void meanPoolBackward(INDArray gradient, int[] starts, INDArray result) {
    int[] sequence = new int[(int) result.size(0)];
    INDArray means = gradient.dup('c');
    for (int i = 0; i + 1 < starts.length; i++) {
      Arrays.fill(sequence, starts[i], starts[i + 1], i);
      rows(means, i, i + 1).divi(starts[i + 1] - starts[i]);
    }
    result.assign(Nd4j.pullRows(means, 1, sequence, 'c'));
  }

  @Override
  public void columnSums(INDArray x, INDArray result) {
    assignVector(x.castTo(DataType.DOUBLE).sum(true, 0), result);
  }

  static INDArray rows(INDArray matrix, long from, long to) {
    return ArrayViews.rows(matrix, from, to - from);
  }

  static INDArray columns(INDArray matrix, long from, long to) {
    return ArrayViews.columns(matrix, from, to - from);
  }

  static INDArray elements(INDArray vector, long from, long to) {
    return Nd4j.create(
        vector.data(), new long[] {to - from}, new long[] {1}, vector.offset() + from, 'c');
  }

  static INDArray row(INDArray vector) {
    return vector.reshape(1, vector.length());
  }

  static INDArray column(INDArray vector) {
    return vector.reshape(vector.length(), 1);
  }

  static void assignVector(INDArray source, INDArray target) {
    target.assign(source.reshape(target.shape()));
  }

  static void write(INDArray source, INDArray target, boolean accumulate) {
    if (accumulate) {
      target.addi(source);
    } else {
      target.assign(source);
    }
  }
}
