package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArrays.array;
import static io.guilomo.kernel.KernelArrays.copy;
import static io.guilomo.kernel.KernelArrays.filled;
import static io.guilomo.kernel.KernelArrays.rows;
import static io.guilomo.kernel.KernelArrays.values;
import static io.guilomo.kernel.KernelArrays.zeros;
import static io.guilomo.kernel.Sample.assertClose;
import static io.guilomo.kernel.Sample.matrix;
import static io.guilomo.kernel.Sample.onShapes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.apache.commons.math3.special.Erf;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class TestActivations {
  private static final double TOLERANCE = 2e-6;
  private final Random random = new Random(3);

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static double silu(double x) {
    return x * sigmoid(x);
  }

  private static double siluSlope(double x) {
    return sigmoid(x) * (1 + x * (1 - sigmoid(x)));
  }

  private static double gelu(double x) {
    return x * 0.5 * Erf.erfc(-x * Math.sqrt(0.5));
  }

  private static double geluSlope(double x) {
    return 0.5 * Erf.erfc(-x * Math.sqrt(0.5)) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  @Test
  void theReferenceSlopesAreThoseOfFiniteDifferences() {
    for (double x = -6; x < 6; x += 0.37) {
      assertThat(siluSlope(x)).isCloseTo(slope(TestActivations::silu, x), within(1e-8));
      assertThat(geluSlope(x)).isCloseTo(slope(TestActivations::gelu, x), within(1e-8));
    }
  }

  private static double slope(DoubleUnaryOperator function, double x) {
    return (function.applyAsDouble(x + 1e-5) - function.applyAsDouble(x - 1e-5)) / 2e-5;
  }

  @OnEveryKernels
  void swiGlu(Kernels kernels) {
    onShapes(
        (rows, n, layout) -> {
          Sample gateUp = matrix(kernels, random, rows, 2 * n, layout, 2);
          Sample y = matrix(kernels, random, rows, n, layout);
          Sample dy = matrix(kernels, random, rows, n, layout);
          double[][] expected = new double[rows][n];
          double[][] gradient = new double[rows][2 * n];
          for (int r = 0; r < rows; r++) {
            for (int c = 0; c < n; c++) {
              double gate = gateUp.values()[r][c];
              double up = gateUp.values()[r][n + c];
              expected[r][c] = silu(gate) * up;
              gradient[r][c] = dy.values()[r][c] * up * siluSlope(gate);
              gradient[r][n + c] = dy.values()[r][c] * silu(gate);
            }
          }
          kernels.swiGlu(gateUp.array(), y.array());
          y.isClose(expected, TOLERANCE);
          gateUp.isUnchanged();
          Sample dGateUp = matrix(kernels, random, rows, 2 * n, layout);
          kernels.swiGluBackward(dy.array(), gateUp.array(), dGateUp.array());
          dGateUp.isClose(gradient, TOLERANCE);
          gateUp.isUnchanged();
          kernels.swiGluBackward(dy.array(), gateUp.array(), gateUp.array());
          gateUp.isClose(gradient, TOLERANCE);
          dy.isUnchanged();
        });
  }

  @OnEveryKernels
  void gelu(Kernels kernels) {
    onShapes(
        (rows, columns, layout) -> {
          Sample x = matrix(kernels, random, rows, columns, layout, 2);
          Sample y = matrix(kernels, random, rows, columns, layout);
          Sample dy = matrix(kernels, random, rows, columns, layout);
          double[][] expected = new double[rows][columns];
          double[][] gradient = new double[rows][columns];
          for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
              expected[r][c] = gelu(x.values()[r][c]);
              gradient[r][c] = geluSlope(x.values()[r][c]) * dy.values()[r][c];
            }
          }
          kernels.gelu(x.array(), y.array());
          y.isClose(expected, TOLERANCE);
          Sample dx = matrix(kernels, random, rows, columns, layout);
          kernels.geluBackward(dy.array(), x.array(), dx.array());
          dx.isClose(gradient, TOLERANCE);
          x.isUnchanged();
          dy.isUnchanged();
          INDArray overwritten = copy(kernels, x.array());
          kernels.geluBackward(dy.array(), overwritten, overwritten);
          assertClose(Sample.matrixOf(kernels, overwritten), gradient, TOLERANCE);
          kernels.geluBackward(dy.array(), x.array(), dy.array());
          dy.isClose(gradient, TOLERANCE);
        });
  }

  @OnEveryKernels
  void extremesStayFinite(Kernels kernels) {
    float[] extremes = {
      -1e30f, -3e4f, -104, -88.5f, -20, -5.9f, -1e-20f, 0, 1e-20f, 5.9f, 20, 88.5f, 104, 3e4f, 1e30f
    };
    int n = extremes.length;
    float[] gateUp = new float[2 * n];
    for (int i = 0; i < n; i++) {
      gateUp[i] = extremes[i];
      gateUp[n + i] = 1;
    }
    INDArray ones = filled(kernels, 1, 1, n);
    INDArray both = array(kernels, new float[][] {gateUp});
    INDArray x = array(kernels, new float[][] {extremes});
    INDArray silu = zeros(kernels, 1, n);
    INDArray gelu = zeros(kernels, 1, n);
    INDArray dx = zeros(kernels, 1, n);
    kernels.swiGlu(both, silu);
    kernels.gelu(x, gelu);
    kernels.geluBackward(ones, x, dx);
    kernels.swiGluBackward(ones, both, both);
    for (int i = 0; i < n; i++) {
      double value = extremes[i];
      double tolerance = 2e-6 * Math.max(1, Math.abs(value));
      assertThat((double) values(kernels, silu)[i])
          .as("silu(%s)", value)
          .isCloseTo(silu(value), within(tolerance));
      assertThat((double) values(kernels, both)[i])
          .as("silu'(%s)", value)
          .isCloseTo(siluSlope(value), within(2e-6));
      assertThat((double) values(kernels, gelu)[i])
          .as("gelu(%s)", value)
          .isCloseTo(gelu(value), within(tolerance));
      assertThat((double) values(kernels, dx)[i])
          .as("gelu'(%s)", value)
          .isCloseTo(geluSlope(value), within(2e-6));
    }
  }

  @OnEveryKernels
  void dropoutKeepsTheShareAndTheMean(Kernels kernels) {
    INDArray x = filled(kernels, 1, 1000, 384);
    for (float rate : new float[] {0, 0.05f, 0.5f}) {
      INDArray y = zeros(kernels, 1000, 384);
      kernels.dropout(x, new DropoutMask(rate, 42, 0), y);
      float factor = (float) (1 / (1 - (double) rate));
      long kept = 0;
      long dropped = 0;
      double[] perRow = new double[1000];
      double[] perColumn = new double[384];
      float[][] all = rows(kernels, y);
      for (int r = 0; r < perRow.length; r++) {
        for (int c = 0; c < perColumn.length; c++) {
          kept += all[r][c] == factor ? 1 : 0;
          dropped += all[r][c] == 0 ? 1 : 0;
          perRow[r] += all[r][c] / 384;
          perColumn[c] += all[r][c] / 1000;
        }
      }
      assertThat(kept + dropped).isEqualTo(384000);
      double deviation = Math.sqrt(rate * (1 - rate) / 384000);
      assertThat(dropped / 384000.0).isCloseTo(rate, within(4 * deviation + 1e-12));
      // Rows and columns are alike too: none strays by more than five deviations.
      assertMeans(perRow, 5 * Math.sqrt(rate / (1 - rate) / 384));
      assertMeans(perColumn, 5 * Math.sqrt(rate / (1 - rate) / 1000));
    }
  }

  private static void assertMeans(double[] means, double tolerance) {
    for (double mean : means) {
      assertThat(mean).isCloseTo(1, within(tolerance + 1e-5));
    }
  }

  @OnEveryKernels
  void dropoutDependsOnSeedRowAndColumnAlone(Kernels kernels) {
    float rate = 0.3f;
    INDArray ones = filled(kernels, 1, 200, 200);
    INDArray mask = zeros(kernels, 200, 200);
    kernels.dropout(ones, new DropoutMask(rate, 7, 0), mask);
    double[][] kept = Sample.matrixOf(kernels, mask);
    INDArray other = zeros(kernels, 200, 200);
    kernels.dropout(ones, new DropoutMask(rate, 8, 0), other);
    float[] first = values(kernels, mask);
    float[] second = values(kernels, other);
    double equal = 0;
    for (int i = 0; i < first.length; i++) {
      equal += first[i] == second[i] ? 1.0 / first.length : 0;
    }
    assertThat(equal).isCloseTo(0.7 * 0.7 + 0.3 * 0.3, within(0.02));
    onShapes(
        (rows, columns, layout) -> {
          Sample x = matrix(kernels, random, rows, columns, layout);
          Sample y = matrix(kernels, random, rows, columns, layout);
          Sample dx = matrix(kernels, random, rows, columns, layout);
          double[][] expected = new double[rows][columns];
          double[][] gradient = new double[rows][columns];
          for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
              expected[r][c] = x.values()[r][c] * kept[r][c];
              gradient[r][c] = dx.values()[r][c] + expected[r][c];
            }
          }
          kernels.dropout(x.array(), new DropoutMask(rate, 7, 0), y.array());
          y.isClose(expected, TOLERANCE);
          kernels.dropoutBackward(x.array(), new DropoutMask(rate, 7, 0), dx.array());
          dx.isClose(gradient, TOLERANCE);
        });
    INDArray later = zeros(kernels, 60, 200);
    kernels.dropout(filled(kernels, 1, 60, 200), new DropoutMask(rate, 7, 140), later);
    assertThat(Sample.matrixOf(kernels, later)).isDeepEqualTo(Arrays.copyOfRange(kept, 140, 200));
  }

  @OnEveryKernels
  void allDropTheSameElements(Kernels kernels) {
    Kernels portable = KernelSelection.named("portable");
    INDArray expected = zeros(portable, 70, 90);
    DropoutMask mask = new DropoutMask(0.4f, -12345, 0);
    portable.dropout(filled(portable, 1, 70, 90), mask, expected);
    INDArray actual = zeros(kernels, 70, 90);
    kernels.dropout(filled(kernels, 1, 70, 90), mask, actual);
    assertThat(values(kernels, actual)).isEqualTo(values(portable, expected));
    assertThat(values(kernels, actual)[0]).isIn(0f, (float) (1 / 0.6));
  }
}
