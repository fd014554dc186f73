package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArrays.array;
import static io.guilomo.kernel.KernelArrays.copy;
import static io.guilomo.kernel.KernelArrays.doubleValues;
import static io.guilomo.kernel.KernelArrays.doubles;
import static io.guilomo.kernel.KernelArrays.filled;
import static io.guilomo.kernel.KernelArrays.rows;
import static io.guilomo.kernel.KernelArrays.values;
import static io.guilomo.kernel.KernelArrays.zeros;
import static io.guilomo.kernel.Sample.assertClose;
import static io.guilomo.kernel.Sample.matrix;
import static io.guilomo.kernel.Sample.onShapes;
import static io.guilomo.kernel.Sample.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;

class TestLossAndVectors {
  private static final double TOLERANCE = 2e-6;
  private static final int[] LENGTHS = {1, 5, 64, 100, 40001};
  private final Random random = new Random(6);

  /**
   * Two vectors of one length.
   *
   * @param around holds x from its second element on
   */
  private record Operands(Kernels kernels, INDArray around, INDArray x, INDArray y) {

    static Operands draw(Kernels kernels, Random random, int length) {
      INDArray around = vector(kernels, random, 2 * length + 3);
      return new Operands(
          kernels, around, ArrayViews.slice(around, 1, length), vector(kernels, random, length));
    }

    /** What an operator makes of each pair of elements. */
    double[] expected(DoubleBinaryOperator operator) {
      double[] expected = Sample.vectorOf(kernels, x);
      float[] second = values(kernels, y);
      for (int i = 0; i < expected.length; i++) {
        expected[i] = operator.applyAsDouble(expected[i], second[i]);
      }
      return expected;
    }

    /** The elements before and after x. */
    List<Float> neighbours() {
      float[] all = values(kernels, around);
      return List.of(all[0], all[(int) x.length() + 1]);
    }
  }

  @OnEveryKernels
  void crossEntropyAndItsGradient(Kernels kernels) {
    onShapes(
        (rows, classes, layout) -> {
          Sample logits = matrix(kernels, random, rows, classes, layout, 4);
          int[] labels = random.ints(rows, 0, classes).toArray();
          double[] expected = new double[rows];
          double[][] gradient = new double[rows][classes];
          double total = 0;
          for (int r = 0; r < rows; r++) {
            double sum = 0;
            for (double logit : logits.values()[r]) {
              sum += Math.exp(logit);
            }
            expected[r] = Math.log(sum) - logits.values()[r][labels[r]];
            total += expected[r];
            for (int c = 0; c < classes; c++) {
              gradient[r][c] =
                  0.125 * (Math.exp(logits.values()[r][c]) / sum - (c == labels[r] ? 1 : 0));
            }
          }
          INDArray losses = zeros(kernels, rows);
          INDArray totals = doubles(kernels, 2);
          kernels.crossEntropy(logits.array(), labels, 0.125f, false, losses, totals);
          double[] sums = doubleValues(kernels, totals);
          assertThat(sums[0]).isCloseTo(total, within(TOLERANCE * Math.max(total, 1)));
          assertThat(sums[1]).isEqualTo(hits(logits.values(), labels));
          logits.isUnchanged();
          assertClose(kernels, losses, expected, TOLERANCE);
          INDArray again = zeros(kernels, rows);
          kernels.crossEntropy(logits.array(), labels, 0.125f, true, again, totals);
          double[] added = doubleValues(kernels, totals);
          assertThat(added[0]).isCloseTo(2 * total, within(2 * TOLERANCE * Math.max(total, 1)));
          assertThat(added[1]).isEqualTo(sums[1]);
          assertThat(values(kernels, again)).isEqualTo(values(kernels, losses));
          logits.isClose(gradient, TOLERANCE);
        });
  }

  private static double hits(double[][] logits, int[] labels) {
    double hits = 0;
    for (int r = 0; r < labels.length; r++) {
      int best = 0;
      for (int c = 1; c < logits[r].length; c++) {
        best = logits[r][c] > logits[r][best] ? c : best;
      }
      hits += best == labels[r] ? 1 : 0;
    }
    return hits;
  }

  @OnEveryKernels
  void equalsAreAtTheLowestIndex(Kernels kernels) {
    float nan = Float.NaN;
    INDArray logits =
        array(kernels, new float[][] {{1, 2, 2}, {1, 2, 2}, {0, 0, 0}, {nan, 1, 0}, {nan, 1, 0}});
    INDArray totals = doubles(kernels, 2);
    kernels.crossEntropy(logits, new int[] {1, 2, 0, 0, 1}, 1, false, zeros(kernels, 5), totals);
    assertThat(doubleValues(kernels, totals)[1]).isEqualTo(3);
  }

  @OnEveryKernels
  void crossEntropyOfLargeLogits(Kernels kernels) {
    INDArray logits =
        array(kernels, new float[][] {{3e4f, -3e4f, 0}, {Float.NEGATIVE_INFINITY, 1, 1}});
    INDArray losses = zeros(kernels, 2);
    kernels.crossEntropy(logits, new int[] {1, 2}, 1, true, losses, doubles(kernels, 2));
    float[] each = values(kernels, losses);
    assertThat(each[0]).isEqualTo(6e4f);
    assertThat(each[1]).isCloseTo((float) Math.log(2), within(1e-6f));
    float[][] gradient = rows(kernels, logits);
    assertThat(gradient[0]).containsExactly(1, -1, 0);
    assertThat(gradient[1]).containsExactly(0, 0.5f, -0.5f);
  }

  @OnEveryKernels
  void notANumberIsNeverHidden(Kernels kernels) {
    for (int classes : new int[] {3, 16, 37}) {
      for (int bad = 0; bad < classes; bad++) {
        float[][] all = new float[2][classes];
        all[1][bad] = Float.NaN;
        INDArray losses = zeros(kernels, 2);
        INDArray totals = doubles(kernels, 2);
        INDArray logits = array(kernels, all);
        kernels.crossEntropy(logits, new int[] {0, 1}, 1, true, losses, totals);
        float[] each = values(kernels, losses);
        assertThat(each[0]).isCloseTo((float) Math.log(classes), within(1e-5f));
        assertThat(each[1]).isNaN();
        assertThat(doubleValues(kernels, totals)[0]).isNaN();
        assertThat(rows(kernels, logits)[1][bad]).isNaN();
      }
    }
    INDArray infinite = array(kernels, new float[][] {{1, Float.POSITIVE_INFINITY, 3}});
    INDArray totals = doubles(kernels, 2);
    kernels.crossEntropy(infinite, new int[] {0}, 1, false, zeros(kernels, 1), totals);
    assertThat(doubleValues(kernels, totals)[0]).isNaN();
  }

  @OnEveryKernels
  void adamW(Kernels kernels) {
    AdamW settings = new AdamW(0.9, 0.999, 1e-8, 0.01);
    for (int length : new int[] {1, 16, 37, 1000, 40000}) {
      INDArray weights = vector(kernels, random, length);
      INDArray gradient = vector(kernels, random, length);
      INDArray first = vector(kernels, random, length);
      kernels.scale(first, 0.1);
      INDArray second = vector(kernels, random, length);
      kernels.multiply(second, second, second);
      kernels.addScaled(second, 1e-4, filled(kernels, 1, length), second);
      for (long step : new long[] {1, 2, 1000}) {
        double[] w = Sample.vectorOf(kernels, weights);
        double[] m = Sample.vectorOf(kernels, first);
        double[] v = Sample.vectorOf(kernels, second);
        double[] gradients = Sample.vectorOf(kernels, gradient);
        double[] target = new double[length];
        for (int i = 0; i < length; i++) {
          double g = gradients[i];
          m[i] = 0.9 * m[i] + 0.1 * g;
          v[i] = 0.999 * v[i] + 0.001 * g * g;
          double change =
              m[i]
                  / (1 - Math.pow(0.9, step))
                  / (Math.sqrt(v[i] / (1 - Math.pow(0.999, step))) + 1e-8);
          target[i] = w[i] * (1 - 3e-3 * 0.01) - 3e-3 * change;
        }
        INDArray virtual = zeros(kernels, length);
        float[] firstBefore = values(kernels, first);
        float[] secondBefore = values(kernels, second);
        kernels.adamW(settings, 3e-3, step, weights, gradient, first, second, virtual, false);
        assertClose(kernels, virtual, target, TOLERANCE);
        assertThat(values(kernels, first)).isEqualTo(firstBefore);
        assertThat(values(kernels, second)).isEqualTo(secondBefore);
        kernels.adamW(settings, 3e-3, step, weights, gradient, first, second, weights, true);
        assertThat(values(kernels, weights)).isEqualTo(values(kernels, virtual));
        assertClose(kernels, first, m, TOLERANCE);
        assertClose(kernels, second, v, TOLERANCE);
      }
    }
  }

  @OnEveryKernels
  void addsScaledInPlaceAndIntoSlices(Kernels kernels) {
    for (int length : LENGTHS) {
      Operands operands = Operands.draw(kernels, random, length);
      INDArray x = operands.x();
      INDArray y = operands.y();
      List<Float> neighbours = operands.neighbours();
      INDArray target = zeros(kernels, length);
      kernels.addScaled(x, -0.3, y, target);
      assertClose(kernels, target, operands.expected((a, b) -> a - 0.3 * b), TOLERANCE);
      INDArray yCopy = copy(kernels, y);
      kernels.addScaled(x, -0.3, yCopy, yCopy);
      assertThat(values(kernels, yCopy)).isEqualTo(values(kernels, target));
      kernels.addScaled(x, -0.3, y, x);
      assertThat(values(kernels, x)).isEqualTo(values(kernels, target));
      kernels.scale(x, 2);
      kernels.addScaled(target, 1, target, target);
      assertThat(values(kernels, x)).isEqualTo(values(kernels, target));
      assertThat(operands.neighbours()).isEqualTo(neighbours);
    }
  }

  @OnEveryKernels
  void multipliesInPlaceAndIntoSlices(Kernels kernels) {
    for (int length : LENGTHS) {
      Operands operands = Operands.draw(kernels, random, length);
      INDArray x = operands.x();
      INDArray y = operands.y();
      List<Float> neighbours = operands.neighbours();
      INDArray target = zeros(kernels, length);
      kernels.multiply(x, y, target);
      assertClose(kernels, target, operands.expected((a, b) -> a * b), TOLERANCE);
      kernels.multiply(x, y, x);
      assertThat(values(kernels, x)).isEqualTo(values(kernels, target));
      assertThat(operands.neighbours()).isEqualTo(neighbours);
    }
  }

  @OnEveryKernels
  void normIsAccumulatedIn64Bits(Kernels kernels) {
    for (int length : new int[] {1, 5, 64, 100, 1_000_003}) {
      INDArray x = vector(kernels, random, length);
      double sum = 0;
      for (double value : Sample.vectorOf(kernels, x)) {
        sum += value * value;
      }
      assertThat(kernels.norm(x)).isCloseTo(Math.sqrt(sum), within(1e-9 * Math.sqrt(sum)));
    }
    assertThat(kernels.norm(array(kernels, 3e30f, 4e30f))).isCloseTo(5e30, within(1e24));
    assertThat(kernels.norm(array(kernels, 1, Float.NaN))).isNaN();
  }
}
