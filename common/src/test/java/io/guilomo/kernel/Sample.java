package io.guilomo.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A random argument of a kernel, its values in double precision, and what surrounds it in memory.
 */
class Sample {
  private static final int ROWS_BEFORE = 1;
  private static final int COLUMNS_BEFORE = 3;
  private static final int MARGIN = 7;

  enum Layout {
    CONTIGUOUS,
    /** A range of rows and columns of a larger matrix. */
    VIEW
  }

  interface OnShape {
    void run(int rows, int columns, Layout layout);
  }

  private final Kernels kernels;
  private final INDArray array;
  private final INDArray parent;
  private final float[][] before;
  private final double[][] values;

  private Sample(Kernels kernels, INDArray parent, INDArray array) {
    this.kernels = kernels;
    this.array = array;
    this.parent = parent;
    this.before = KernelArrays.rows(kernels, parent);
    this.values = matrixOf(kernels, array);
  }

  static void onShapes(OnShape test) {
    for (int rows : new int[] {1, 3, 17, 130}) {
      for (int columns : new int[] {5, 16, 33, 64, 96}) {
        for (Layout layout : Layout.values()) {
          test.run(rows, columns, layout);
        }
      }
    }
  }

  static Sample matrix(Kernels kernels, Random random, int rows, int columns, Layout layout) {
    return matrix(kernels, random, rows, columns, layout, 1);
  }

  /** Normally distributed values of the given deviation. */
  static Sample matrix(
      Kernels kernels, Random random, int rows, int columns, Layout layout, double deviation) {
    boolean view = layout == Layout.VIEW;
    float[][] all = new float[rows + (view ? 2 * ROWS_BEFORE : 0)][columns + (view ? MARGIN : 0)];
    for (float[] row : all) {
      for (int c = 0; c < row.length; c++) {
        row[c] = (float) (deviation * random.nextGaussian());
      }
    }
    INDArray parent = KernelArrays.array(kernels, all);
    if (!view) {
      return new Sample(kernels, parent, parent);
    }
    INDArray some = ArrayViews.rows(parent, ROWS_BEFORE, rows);
    return new Sample(kernels, parent, ArrayViews.columns(some, COLUMNS_BEFORE, columns));
  }

  static INDArray vector(Kernels kernels, Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return KernelArrays.array(kernels, values);
  }

  INDArray array() {
    return array;
  }

  /** The values it was made with. */
  double[][] values() {
    return values;
  }

  void isClose(double[][] expected, double tolerance) {
    isClose(expected, tolerance, 1e-30);
  }

  /**
   * Within the tolerance times the largest expected entry, or times {@code floor} where that is
   * larger.
   */
  void isClose(double[][] expected, double tolerance, double floor) {
    assertClose(matrixOf(kernels, array), expected, tolerance, floor);
    onlyArrayChanged();
  }

  void isUnchanged() {
    assertThat(Arrays.deepEquals(matrixOf(kernels, array), values))
        .as("argument unchanged")
        .isTrue();
    onlyArrayChanged();
  }

  private void onlyArrayChanged() {
    if (parent == array) {
      return;
    }
    float[][] after = KernelArrays.rows(kernels, parent);
    for (int r = 0; r < after.length; r++) {
      for (int c = 0; c < after[r].length; c++) {
        boolean inside =
            r >= ROWS_BEFORE
                && r < ROWS_BEFORE + array.size(0)
                && c >= COLUMNS_BEFORE
                && c < COLUMNS_BEFORE + array.size(1);
        if (!inside && after[r][c] != before[r][c]) {
          assertThat(after[r][c])
              .as("element [%d, %d] outside the view", r, c)
              .isEqualTo(before[r][c]);
        }
      }
    }
  }

  static void assertClose(double[][] actual, double[][] expected, double tolerance) {
    assertClose(actual, expected, tolerance, 1e-30);
  }

  private static void assertClose(
      double[][] actual, double[][] expected, double tolerance, double floor) {
    assertThat(actual.length).isEqualTo(expected.length);
    double largest = floor;
    for (double[] row : expected) {
      for (double value : row) {
        largest = Math.max(largest, Math.abs(value));
      }
    }
    for (int r = 0; r < expected.length; r++) {
      assertThat(actual[r].length).isEqualTo(expected[r].length);
      for (int c = 0; c < expected[r].length; c++) {
        double error = Math.abs(actual[r][c] - expected[r][c]);
        if (!(error <= tolerance * largest)) {
          assertThat(actual[r][c])
              .as(
                  "element [%d, %d] of [%d, %d], largest %s",
                  r, c, expected.length, expected[r].length, largest)
              .isEqualTo(expected[r][c]);
        }
      }
    }
  }

  static void assertClose(Kernels kernels, INDArray vector, double[] expected, double tolerance) {
    assertClose(new double[][] {vectorOf(kernels, vector)}, new double[][] {expected}, tolerance);
  }

  static double[] doubles(float[] values) {
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = values[i];
    }
    return result;
  }

  static double[] vectorOf(Kernels kernels, INDArray vector) {
    return doubles(KernelArrays.values(kernels, vector));
  }

  static double[][] matrixOf(Kernels kernels, INDArray matrix) {
    return Arrays.stream(KernelArrays.rows(kernels, matrix))
        .map(Sample::doubles)
        .toArray(double[][]::new);
  }
}
