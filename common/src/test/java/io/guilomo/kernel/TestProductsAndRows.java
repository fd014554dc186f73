package io.guilomo.kernel;

import static io.guilomo.kernel.Sample.assertClose;
import static io.guilomo.kernel.Sample.matrix;
import static io.guilomo.kernel.Sample.onShapes;
import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.kernel.Sample.Layout;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TestProductsAndRows {
  private static final double TOLERANCE = 2e-6;
  private final Random random = new Random(1);

  @ParameterizedTest
  @EnumSource
  void multipliesTransposedViewsAndAdds(Implementation implementation) {
    for (int m : new int[] {1, 3, 130}) {
      for (int n : new int[] {1, 5, 64}) {
        for (int k : new int[] {1, 33}) {
          for (int flags = 0; flags < 16; flags++) {
            multiplies(
                implementation.kernels(),
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

  @ParameterizedTest
  @EnumSource
  void multipliesInRanges(Implementation implementation) {
    for (int flags = 0; flags < 8; flags++) {
      boolean transposeA = (flags & 1) != 0;
      boolean transposeB = (flags & 2) != 0;
      boolean accumulate = (flags & 4) != 0;
      Kernels kernels = implementation.kernels();
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
    Sample a = transposeA ? matrix(random, k, m, layout) : matrix(random, m, k, layout);
    Sample b = transposeB ? matrix(random, n, k, layout) : matrix(random, k, n, layout);
    Sample c = matrix(random, m, n, layout);
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

  @ParameterizedTest
  @EnumSource
  void aProductOverwritesWhatWasNotANumber(Implementation implementation) {
    INDArray c = Nd4j.valueArrayOf(new long[] {2, 2}, Float.NaN).castTo(DataType.FLOAT);
    INDArray identity = Nd4j.createFromArray(new float[][] {{1, 0}, {0, 1}});
    implementation.kernels().product(identity, false, identity, false, c, false);
    assertThat(c.toFloatMatrix()).isDeepEqualTo(new float[][] {{1, 0}, {0, 1}});
  }

  @ParameterizedTest
  @EnumSource
  void gathersAndScattersRows(Implementation implementation) {
    Kernels kernels = implementation.kernels();
    onShapes(
        (rows, columns, layout) -> {
          Sample table = matrix(random, rows, columns, layout);
          int[] indices = {rows - 1, 0, rows / 2, 0};
          for (boolean accumulate : new boolean[] {false, true}) {
            Sample result = matrix(random, indices.length, columns, layout);
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
          Sample source = matrix(random, distinct.length, columns, layout);
          Sample target = matrix(random, rows, columns, layout);
          kernels.scatterAddRows(source.array(), distinct, target.array());
          double[][] expected = copy(target.values());
          for (int i = 0; i < distinct.length; i++) {
            for (int c = 0; c < columns; c++) {
              expected[distinct[i]][c] += source.values()[i][c];
            }
          }
          target.isClose(expected, TOLERANCE);

          Sample replaced = matrix(random, rows, columns, layout);
          kernels.scatterRows(source.array(), distinct, replaced.array());
          double[][] written = copy(replaced.values());
          for (int i = 0; i < distinct.length; i++) {
            written[distinct[i]] = source.values()[i];
          }
          replaced.isClose(written, 0);
        });
  }

  @ParameterizedTest
  @EnumSource
  void copiesAndAddsBias(Implementation implementation) {
    Kernels kernels = implementation.kernels();
    onShapes(
        (rows, columns, layout) -> {
          Sample source = matrix(random, rows, columns, layout);
          Sample target = matrix(random, rows, columns, layout);
          kernels.copy(source.array(), target.array());
          target.isClose(source.values(), 0);
          INDArray bias = Sample.vector(random, columns);
          kernels.addBias(source.array(), bias);
          double[][] expected = copy(source.values());
          for (double[] row : expected) {
            for (int c = 0; c < columns; c++) {
              row[c] += bias.getFloat(c);
            }
          }
          source.isClose(expected, TOLERANCE);
        });
    INDArray vector = Sample.vector(random, 37);
    INDArray target = Nd4j.create(37);
    kernels.copy(vector, target);
    assertThat(target.toFloatVector()).isEqualTo(vector.toFloatVector());
  }

  @ParameterizedTest
  @EnumSource
  void poolsTheMeanOfEachSequence(Implementation implementation) {
    Kernels kernels = implementation.kernels();
    int[] starts = {0, 1, 8, 130};
    for (int columns : new int[] {5, 33, 96}) {
      for (Layout layout : Layout.values()) {
        Sample x = matrix(random, 130, columns, layout);
        Sample pooled = matrix(random, 3, columns, layout);
        kernels.meanPool(x.array(), starts, pooled.array());
        double[][] means = new double[3][columns];
        double[][] spread = new double[130][columns];
        Sample gradient = matrix(random, 3, columns, layout);
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
        Sample dx = matrix(random, 130, columns, layout);
        kernels.meanPoolBackward(gradient.array(), starts, dx.array());
        dx.isClose(spread, TOLERANCE);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void sumsColumns(Implementation implementation) {
    onShapes(
        (rows, columns, layout) -> {
          Sample x = matrix(random, rows, columns, layout);
          INDArray sums = Sample.vector(random, columns);
          implementation.kernels().columnSums(x.array(), sums);
          double[] expected = new double[columns];
          for (double[] row : x.values()) {
            for (int c = 0; c < columns; c++) {
              expected[c] += row[c];
            }
          }
          assertClose(sums, expected, TOLERANCE);
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
