package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArrays.array;
import static io.guilomo.kernel.KernelArrays.filled;
import static io.guilomo.kernel.KernelArrays.rows;
import static io.guilomo.kernel.KernelArrays.values;
import static io.guilomo.kernel.KernelArrays.zeros;
import static io.guilomo.kernel.Sample.assertClose;
import static io.guilomo.kernel.Sample.matrix;
import static io.guilomo.kernel.Sample.onShapes;
import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.kernel.Sample.Layout;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class TestProductsAndRows {
  private static final double TOLERANCE = 2e-6;
  private final Random random = new Random(1);

  @OnEveryKernels
  void multipliesTransposedViewsAndAdds(Kernels kernels) {
    for (int m : new int[] {1, 3, 130}) {
      for (int n : new int[] {1, 5, 64}) {
        for (int k : new int[] {1, 33}) {
          for (int flags = 0; flags < 16; flags++) {
            multiplies(
                kernels,
                m,
                n,
                k,
                (flags & 1) != 0,
                (flags & 2) != 0,
                (flags & 4) != 0,
                (flags & 8) != 0 ? Layout.VIEW : Layout.CONTIGUOUS);
          }
        }
      }
    }
  }

  @OnEveryKernels
  void multipliesInRanges(Kernels kernels) {
    for (int flags = 0; flags < 8; flags++) {
      boolean transposeA = (flags & 1) != 0;
      boolean transposeB = (flags & 2) != 0;
      boolean accumulate = (flags & 4) != 0;
      multiplies(kernels, 1100, 9, 130, transposeA, transposeB, accumulate, Layout.VIEW);
      multiplies(kernels, 90, 1100, 12, transposeA, transposeB, accumulate, Layout.VIEW);
    }
  }

  private void multiplies(
      Kernels kernels,
      int m,
      int n,
      int k,
      boolean transposeA,
      boolean transposeB,
      boolean accumulate,
      Layout layout) {
    Sample a =
        transposeA ? matrix(kernels, random, k, m, layout) : matrix(kernels, random, m, k, layout);
    Sample b =
        transposeB ? matrix(kernels, random, n, k, layout) : matrix(kernels, random, k, n, layout);
    Sample c = matrix(kernels, random, m, n, layout);
    kernels.product(a.array(), transposeA, b.array(), transposeB, c.array(), accumulate);
    double[][] expected = new double[m][n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        expected[i][j] = accumulate ? c.values()[i][j] : 0;
        for (int l = 0; l < k; l++) {
          expected[i][j] +=
              (transposeA ? a.values()[l][i] : a.values()[i][l])
                  * (transposeB ? b.values()[j][l] : b.values()[l][j]);
        }
      }
    }
    c.isClose(expected, TOLERANCE);
    a.isUnchanged();
    b.isUnchanged();
  }

  @OnEveryKernels
  void aFrozenMatrixHasTheBitsOfAnArray(Kernels kernels) {
    frozen(kernels, DataType.FLOAT);
    frozen(kernels, DataType.BFLOAT16);
    if (kernels.keepsHalf()) {
      frozen(kernels, DataType.HALF);
    }
  }

  private void frozen(Kernels kernels, DataType type) {
    float[] values = new float[37 * 21];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    INDArray elements = kernels.allocate(type, values.length);
    kernels.write(values, elements);
    INDArray matrix = ArrayViews.slice(elements, 0, 37, 21);
    FrozenMatrix frozen = kernels.frozen(type, 37, 21);
    float[] block = new float[100];
    for (int done = 0; done < values.length; done += block.length) {
      int count = Math.min(block.length, values.length - done);
      System.arraycopy(values, done, block, 0, count);
      frozen.put(done, block, count);
    }
    assertThat(frozen.rows()).isEqualTo(37);
    assertThat(frozen.columns()).isEqualTo(21);
    assertThat(frozen.type()).isEqualTo(type);
    assertThat(frozen.bytes()).isEqualTo(37L * 21 * type.width());
    for (boolean accumulate : new boolean[] {false, true}) {
      INDArray x = matrix(kernels, random, 50, 21, Layout.VIEW).array();
      INDArray y = filled(kernels, 2, 50, 37);
      INDArray expected = filled(kernels, 2, 50, 37);
      kernels.matmul(x, frozen, y, accumulate);
      kernels.product(x, false, matrix, true, expected, accumulate);
      assertThat(values(kernels, y)).isEqualTo(values(kernels, expected));
      INDArray dx = filled(kernels, 3, 50, 21);
      INDArray expectedDx = filled(kernels, 3, 50, 21);
      kernels.matmulBackward(y, frozen, dx, accumulate);
      kernels.product(y, false, matrix, false, expectedDx, accumulate);
      assertThat(values(kernels, dx)).isEqualTo(values(kernels, expectedDx));
      INDArray rows = filled(kernels, 4, 3, 21);
      INDArray expectedRows = filled(kernels, 4, 3, 21);
      kernels.gatherRows(frozen, new int[] {36, 0, 36}, rows, accumulate);
      kernels.gatherRows(matrix, new int[] {36, 0, 36}, expectedRows, accumulate);
      assertThat(values(kernels, rows)).isEqualTo(values(kernels, expectedRows));
    }
    kernels.finish();
    kernels.release(frozen);
  }

  @OnEveryKernels
  void aProductOverwritesWhatWasNotANumber(Kernels kernels) {
    INDArray c = filled(kernels, Float.NaN, 2, 2);
    INDArray identity = array(kernels, new float[][] {{1, 0}, {0, 1}});
    kernels.product(identity, false, identity, false, c, false);
    assertThat(rows(kernels, c)).isDeepEqualTo(new float[][] {{1, 0}, {0, 1}});
  }

  @OnEveryKernels
  void gathersAndScattersRows(Kernels kernels) {
    onShapes(
        (rows, columns, layout) -> {
          Sample table = matrix(kernels, random, rows, columns, layout);
          int[] indices = {rows - 1, 0, rows / 2, 0};
          for (boolean accumulate : new boolean[] {false, true}) {
            Sample result = matrix(kernels, random, indices.length, columns, layout);
            kernels.gatherRows(table.array(), indices, result.array(), accumulate);
            double[][] expected = new double[indices.length][columns];
            for (int i = 0; i < indices.length; i++) {
              for (int c = 0; c < columns; c++) {
                expected[i][c] =
                    table.values()[indices[i]][c] + (accumulate ? result.values()[i][c] : 0);
              }
            }
            result.isClose(expected, accumulate ? TOLERANCE : 0);
          }
          int[] distinct = rows == 1 ? new int[] {0} : new int[] {rows - 1, 0};
          Sample source = matrix(kernels, random, distinct.length, columns, layout);
          Sample target = matrix(kernels, random, rows, columns, layout);
          kernels.scatterAddRows(source.array(), distinct, target.array());
          double[][] expected = copy(target.values());
          for (int i = 0; i < distinct.length; i++) {
            for (int c = 0; c < columns; c++) {
              expected[distinct[i]][c] += source.values()[i][c];
            }
          }
          target.isClose(expected, TOLERANCE);

          Sample replaced = matrix(kernels, random, rows, columns, layout);
          kernels.scatterRows(source.array(), distinct, replaced.array());
          double[][] written = copy(replaced.values());
          for (int i = 0; i < distinct.length; i++) {
            written[distinct[i]] = source.values()[i];
          }
          replaced.isClose(written, 0);
        });
  }

  @OnEveryKernels
  void copiesAndAddsBias(Kernels kernels) {
    onShapes(
        (rows, columns, layout) -> {
          Sample source = matrix(kernels, random, rows, columns, layout);
          Sample target = matrix(kernels, random, rows, columns, layout);
          kernels.copy(source.array(), target.array());
          target.isClose(source.values(), 0);
          INDArray bias = Sample.vector(kernels, random, columns);
          kernels.addBias(source.array(), bias);
          float[] biases = values(kernels, bias);
          double[][] expected = copy(source.values());
          for (double[] row : expected) {
            for (int c = 0; c < columns; c++) {
              row[c] += biases[c];
            }
          }
          source.isClose(expected, TOLERANCE);
        });
    INDArray vector = Sample.vector(kernels, random, 37);
    INDArray target = zeros(kernels, 37);
    kernels.copy(vector, target);
    assertThat(values(kernels, target)).isEqualTo(values(kernels, vector));
  }

  @OnEveryKernels
  void poolsTheMeanOfEachSequence(Kernels kernels) {
    int[] starts = {0, 1, 8, 130};
    for (int columns : new int[] {5, 33, 96}) {
      for (Layout layout : Layout.values()) {
        Sample x = matrix(kernels, random, 130, columns, layout);
        Sample pooled = matrix(kernels, random, 3, columns, layout);
        kernels.meanPool(x.array(), starts, pooled.array());
        double[][] means = new double[3][columns];
        double[][] spread = new double[130][columns];
        Sample gradient = matrix(kernels, random, 3, columns, layout);
        for (int s = 0; s < 3; s++) {
          int n = starts[s + 1] - starts[s];
          for (int t = starts[s]; t < starts[s + 1]; t++) {
            for (int c = 0; c < columns; c++) {
              means[s][c] += x.values()[t][c] / n;
              spread[t][c] = gradient.values()[s][c] / n;
            }
          }
        }
        pooled.isClose(means, TOLERANCE);
        Sample dx = matrix(kernels, random, 130, columns, layout);
        kernels.meanPoolBackward(gradient.array(), starts, dx.array());
        dx.isClose(spread, TOLERANCE);
      }
    }
  }

  @OnEveryKernels
  void sumsColumns(Kernels kernels) {
    onShapes(
        (rows, columns, layout) -> {
          Sample x = matrix(kernels, random, rows, columns, layout);
          INDArray sums = Sample.vector(kernels, random, columns);
          kernels.columnSums(x.array(), sums);
          double[] expected = new double[columns];
          for (double[] row : x.values()) {
            for (int c = 0; c < columns; c++) {
              expected[c] += row[c];
            }
          }
          assertClose(kernels, sums, expected, TOLERANCE);
        });
  }

  private static double[][] copy(double[][] values) {
    double[][] copy = new double[values.length][];
    for (int r = 0; r < values.length; r++) {
      copy[r] = values[r].clone();
    }
    return copy;
  }
}
