package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArrays.filled;
import static io.guilomo.kernel.KernelArrays.values;
import static io.guilomo.kernel.KernelArrays.zeros;
import static io.guilomo.kernel.Sample.assertClose;
import static io.guilomo.kernel.Sample.matrix;
import static io.guilomo.kernel.Sample.onShapes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.kernel.Sample.Layout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class TestNorms {
  private static final double FORWARD = 2e-6;
  private static final double BACKWARD = 5e-6;
  private static final float EPSILON = 1e-5f;
  private final Random random = new Random(2);

  /** One row of a norm: {@code centred} for layer norm. */
  private record Norm(boolean centred, double[] weight, double[] bias) {

    double mean(double[] x) {
      double sum = 0;
      for (double value : x) {
        sum += value;
      }
      return centred ? sum / x.length : 0;
    }

    double inverse(double[] x) {
      double mean = mean(x);
      double sum = 0;
      for (double value : x) {
        sum += (value - mean) * (value - mean);
      }
      return 1 / Math.sqrt(sum / x.length + EPSILON);
    }

    double[] forward(double[] x) {
      double mean = mean(x);
      double inverse = inverse(x);
      double[] y = new double[x.length];
      for (int i = 0; i < x.length; i++) {
        y[i] = (x[i] - mean) * inverse * weight[i] + bias[i];
      }
      return y;
    }

    double[] backward(double[] dy, double[] x) {
      double mean = mean(x);
      double inverse = inverse(x);
      double sum = 0;
      double projection = 0;
      for (int i = 0; i < x.length; i++) {
        sum += dy[i] * weight[i];
        projection += dy[i] * weight[i] * (x[i] - mean) * inverse;
      }
      double[] dx = new double[x.length];
      for (int i = 0; i < x.length; i++) {
        double average = centred ? sum / x.length : 0;
        dx[i] =
            inverse
                * (dy[i] * weight[i] - average - (x[i] - mean) * inverse * projection / x.length);
      }
      return dx;
    }
  }

  @Test
  void theReferenceGradientsAreThoseOfFiniteDifferences() {
    for (boolean centred : new boolean[] {false, true}) {
      Norm norm = new Norm(centred, gaussian(9), gaussian(9));
      double[] x = gaussian(9);
      double[] dy = gaussian(9);
      double[] dx = norm.backward(dy, x);
      for (int i = 0; i < x.length; i++) {
        double[] plus = x.clone();
        double[] minus = x.clone();
        plus[i] += 1e-5;
        minus[i] -= 1e-5;
        double slope = (dot(dy, norm.forward(plus)) - dot(dy, norm.forward(minus))) / 2e-5;
        assertThat(dx[i]).isCloseTo(slope, within(1e-8));
      }
    }
  }

  @OnEveryKernels
  void rmsNorm(Kernels kernels) {
    onShapes(
        (rows, columns, layout) -> {
          INDArray weight = Sample.vector(kernels, random, columns);
          Norm norm = new Norm(false, Sample.vectorOf(kernels, weight), new double[columns]);
          Sample x = matrix(kernels, random, rows, columns, layout, 3);
          Sample y = matrix(kernels, random, rows, columns, layout);
          INDArray inverse = zeros(kernels, rows);
          kernels.rmsNorm(x.array(), weight, EPSILON, y.array(), inverse);
          y.isClose(forward(norm, x), FORWARD);
          assertClose(kernels, inverse, inverses(norm, x), FORWARD);
          x.isUnchanged();

          Sample dy = matrix(kernels, random, rows, columns, layout);
          Sample dx = matrix(kernels, random, rows, columns, layout);
          kernels.rmsNormBackward(dy.array(), x.array(), weight, inverse, dx.array());
          double[][] expected = backward(norm, dy, x);
          for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
              expected[r][c] += dx.values()[r][c];
            }
          }
          dx.isClose(expected, BACKWARD);
          dy.isUnchanged();
        });
  }

  @OnEveryKernels
  void layerNorm(Kernels kernels) {
    onShapes(
        (rows, columns, layout) -> {
          INDArray weight = Sample.vector(kernels, random, columns);
          INDArray bias = Sample.vector(kernels, random, columns);
          Norm norm =
              new Norm(true, Sample.vectorOf(kernels, weight), Sample.vectorOf(kernels, bias));
          Sample x = matrix(kernels, random, rows, columns, layout, 3);
          Sample y = matrix(kernels, random, rows, columns, layout);
          INDArray mean = zeros(kernels, rows);
          INDArray inverse = zeros(kernels, rows);
          kernels.layerNorm(x.array(), weight, bias, EPSILON, y.array(), mean, inverse);
          y.isClose(forward(norm, x), FORWARD);
          assertClose(kernels, inverse, inverses(norm, x), FORWARD);
          float[] means = values(kernels, mean);
          for (int r = 0; r < rows; r++) {
            double exact = norm.mean(x.values()[r]);
            // The terms of the mean are of size 3.
            assertThat((double) means[r]).isCloseTo(exact, within(3 * FORWARD));
          }

          Sample dy = matrix(kernels, random, rows, columns, layout);
          Sample dx = matrix(kernels, random, rows, columns, layout);
          kernels.layerNormBackward(dy.array(), x.array(), weight, mean, inverse, dx.array());
          double[][] expected = backward(norm, dy, x);
          dx.isClose(expected, BACKWARD);
          dy.isUnchanged();
          kernels.layerNormBackward(dy.array(), x.array(), weight, mean, inverse, dy.array());
          dy.isClose(expected, BACKWARD);
        });
  }

  @OnEveryKernels
  void layerNormKeepsItsDigitsFarFromZero(Kernels kernels) {
    Sample x = matrix(kernels, random, 4, 48, Layout.CONTIGUOUS);
    kernels.addScaled(x.array(), 1000, filled(kernels, 1, 4, 48), x.array());
    double[][] shifted = Sample.matrixOf(kernels, x.array());
    INDArray ones = filled(kernels, 1, 48);
    INDArray zeros = zeros(kernels, 48);
    Norm norm = new Norm(true, Sample.vectorOf(kernels, ones), new double[48]);
    INDArray y = zeros(kernels, 4, 48);
    kernels.layerNorm(x.array(), ones, zeros, EPSILON, y, zeros(kernels, 4), zeros(kernels, 4));
    double[][] expected = new double[4][];
    for (int r = 0; r < 4; r++) {
      expected[r] = norm.forward(shifted[r]);
    }
    // The mean itself is only known to 6e-5 here.
    assertClose(Sample.matrixOf(kernels, y), expected, 1e-4);
  }

  private static double[][] forward(Norm norm, Sample x) {
    double[][] y = new double[x.values().length][];
    for (int r = 0; r < y.length; r++) {
      y[r] = norm.forward(x.values()[r]);
    }
    return y;
  }

  private static double[][] backward(Norm norm, Sample dy, Sample x) {
    double[][] dx = new double[x.values().length][];
    for (int r = 0; r < dx.length; r++) {
      dx[r] = norm.backward(dy.values()[r], x.values()[r]);
    }
    return dx;
  }

  private static double[] inverses(Norm norm, Sample x) {
    double[] inverses = new double[x.values().length];
    for (int r = 0; r < inverses.length; r++) {
      inverses[r] = norm.inverse(x.values()[r]);
    }
    return inverses;
  }

  private double[] gaussian(int length) {
    return random.doubles(length, -2, 2).toArray();
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
