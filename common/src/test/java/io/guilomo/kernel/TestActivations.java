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

import io.guilomo.kernel.Sample.Layout;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.apache.commons.math3.special.Erf;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class TestActivations {
  private static final double TOLERANCE = 2e-6;
  private final Random random = new Random(3);

  private static double value(Activation activation, double x) {
    return switch (activation) {
      case SILU -> x / (1 + Math.exp(-x));
      case GELU -> x * 0.5 * Erf.erfc(-x * Math.sqrt(0.5));
      case GELU_TANH ->
          x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case RELU -> Math.max(x, 0);
      case TANH -> Math.tanh(x);
    };
  }

  private static double slope(Activation activation, double x) {
    return switch (activation) {
      case SILU -> {
        double sigmoid = 1 / (1 + Math.exp(-x));
        yield sigmoid * (1 + x * (1 - sigmoid));
      }
      case GELU ->
          0.5 * Erf.erfc(-x * Math.sqrt(0.5)) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
      case GELU_TANH -> {
        double tanh = Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x));
        double inner = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
        yield (1 + tanh) / 2 + (tanh * tanh == 1 ? 0 : x / 2 * (1 - tanh * tanh) * inner);
      }
      case RELU -> x > 0 ? 1 : 0;
      case TANH -> 1 - Math.tanh(x) * Math.tanh(x);
    };
  }

  @Test
  void theReferenceSlopesAreThoseOfFiniteDifferences() {
    for (Activation activation : Activation.values()) {
      for (double x = -6; x < 6; x += 0.37) {
        assertThat(slope(activation, x))
            .as("%s at %s", activation, x)
            .isCloseTo(slope(each -> value(activation, each), x), within(1e-8));
      }
    }
  }

  /** Values of torch.nn.functional.gelu, with the approximation "tanh" and without, in float64. */
  @Test
  void theReferenceValuesAreThoseOfTorch() {
    assertThat(value(Activation.GELU_TANH, 1)).isCloseTo(0.8411919906082768, within(1e-12));
    assertThat(value(Activation.GELU_TANH, -2.5)).isCloseTo(-0.015084266089998577, within(1e-12));
    assertThat(value(Activation.GELU, 1)).isCloseTo(0.8413447460685429, within(1e-12));
  }

  private static double slope(DoubleUnaryOperator function, double x) {
    return (function.applyAsDouble(x + 1e-5) - function.applyAsDouble(x - 1e-5)) / 2e-5;
  }

  @OnEveryKernels
  void gates(Kernels kernels) {
    for (Activation activation : Activation.values()) {
      onShapes((rows, n, layout) -> gates(kernels, activation, rows, n, layout));
    }
  }

  private void gates(Kernels kernels, Activation activation, int rows, int n, Layout layout) {
    Sample gateUp = matrix(kernels, random, rows, 2 * n, layout, 2);
    Sample y = matrix(kernels, random, rows, n, layout);
    Sample dy = matrix(kernels, random, rows, n, layout);
    double[][] expected = new double[rows][n];
    double[][] gradient = new double[rows][2 * n];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < n; c++) {
        double gate = gateUp.values()[r][c];
        double up = gateUp.values()[r][n + c];
        expected[r][c] = value(activation, gate) * up;
        gradient[r][c] = dy.values()[r][c] * up * slope(activation, gate);
        gradient[r][n + c] = dy.values()[r][c] * value(activation, gate);
      }
    }
    kernels.gated(activation, gateUp.array(), y.array());
    y.isClose(expected, TOLERANCE);
    gateUp.isUnchanged();
    Sample dGateUp = matrix(kernels, random, rows, 2 * n, layout);
    kernels.gatedBackward(activation, dy.array(), gateUp.array(), dGateUp.array());
    dGateUp.isClose(gradient, TOLERANCE);
    gateUp.isUnchanged();
    kernels.gatedBackward(activation, dy.array(), gateUp.array(), gateUp.array());
    gateUp.isClose(gradient, TOLERANCE);
    dy.isUnchanged();
  }

  @OnEveryKernels
  void activates(Kernels kernels) {
    for (Activation activation : Activation.values()) {
      onShapes((rows, n, layout) -> activates(kernels, activation, rows, n, layout));
    }
  }

  private void activates(
      Kernels kernels, Activation activation, int rows, int columns, Layout layout) {
    Sample x = matrix(kernels, random, rows, columns, layout, 2);
    Sample y = matrix(kernels, random, rows, columns, layout);
    Sample dy = matrix(kernels, random, rows, columns, layout);
    double[][] expected = new double[rows][columns];
    double[][] gradient = new double[rows][columns];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        expected[r][c] = value(activation, x.values()[r][c]);
        gradient[r][c] = slope(activation, x.values()[r][c]) * dy.values()[r][c];
      }
    }
    kernels.activate(activation, x.array(), y.array());
    y.isClose(expected, TOLERANCE);
    Sample dx = matrix(kernels, random, rows, columns, layout);
    kernels.activateBackward(activation, dy.array(), x.array(), dx.array());
    dx.isClose(gradient, TOLERANCE);
    x.isUnchanged();
    dy.isUnchanged();
    INDArray overwritten = copy(kernels, x.array());
    kernels.activateBackward(activation, dy.array(), overwritten, overwritten);
    assertClose(Sample.matrixOf(kernels, overwritten), gradient, TOLERANCE);
    kernels.activateBackward(activation, dy.array(), x.array(), dy.array());
    dy.isClose(gradient, TOLERANCE);
  }

  @OnEveryKernels
  void caps(Kernels kernels) {
    for (float cap : new float[] {0.5f, 30}) {
      onShapes(
          (rows, columns, layout) -> {
            Sample x = matrix(kernels, random, rows, columns, layout, 20);
            Sample dy = matrix(kernels, random, rows, columns, layout);
            double[][] expected = new double[rows][columns];
            double[][] gradient = new double[rows][columns];
            for (int r = 0; r < rows; r++) {
              for (int c = 0; c < columns; c++) {
                double tanh = Math.tanh(x.values()[r][c] / cap);
                expected[r][c] = cap * tanh;
                gradient[r][c] = dy.values()[r][c] * (1 - tanh * tanh);
              }
            }
            kernels.softcap(x.array(), cap);
            x.isClose(expected, TOLERANCE);
            kernels.softcapBackward(dy.array(), x.array(), cap);
            dy.isClose(gradient, TOLERANCE, 1);
          });
    }
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
    INDArray x = array(kernels, new float[][] {extremes});
    for (Activation activation : Activation.values()) {
      INDArray both = array(kernels, new float[][] {gateUp});
      INDArray gated = zeros(kernels, 1, n);
      INDArray activated = zeros(kernels, 1, n);
      INDArray dx = zeros(kernels, 1, n);
      kernels.gated(activation, both, gated);
      kernels.activate(activation, x, activated);
      kernels.activateBackward(activation, ones, x, dx);
      kernels.gatedBackward(activation, ones, both, both);
      for (int i = 0; i < n; i++) {
        double value = extremes[i];
        double tolerance = 2e-6 * Math.max(1, Math.abs(value));
        assertNear(
            activation, value, values(kernels, gated)[i], value(activation, value), tolerance);
        assertNear(
            activation, value, values(kernels, activated)[i], value(activation, value), tolerance);
        assertNear(activation, value, values(kernels, dx)[i], slope(activation, value), 2e-6);
        assertNear(activation, value, values(kernels, both)[i], slope(activation, value), 2e-6);
      }
    }
  }

  private static void assertNear(
      Activation activation, double x, double actual, double expected, double tolerance) {
    assertThat(actual)
        .as("%s or its slope at %s", activation, x)
        .isCloseTo(expected, within(tolerance));
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
