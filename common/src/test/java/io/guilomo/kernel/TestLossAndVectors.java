package io.guilomo.kernel;

import static io.guilomo.kernel.Sample.assertClose;
import static io.guilomo.kernel.Sample.matrix;
import static io.guilomo.kernel.Sample.onShapes;
import static io.guilomo.kernel.Sample.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class TestLossAndVectors {
  private static final double TOLERANCE = 2e-6;
  private static final int[] LENGTHS = {1, 5, 64, 100, 40001};
  private final Random random = new Random(6);

  /**
   * Two vectors of one length.
   *
   * @param around holds x from its second element on
   */
  private record Operands(INDArray around, INDArray x, INDArray y) {

    static Operands draw(Random random, int length) {
      INDArray around = vector(random, 2 * length + 3);
      return new Operands(
          around, around.get(NDArrayIndex.interval(1, length + 1)), vector(random, length));
    }

    /** What an operator makes of each pair of elements. */
    double[] expected(DoubleBinaryOperator operator) {
      double[] expected = Sample.vectorOf(x);
      for (int i = 0; i < expected.length; i++) {
        expected[i] = operator.applyAsDouble(expected[i], y.getFloat(i));
      }
      return expected;
    }

    /** The elements before and after x. */
    List<Float> neighbours() {
      return List.of(around.getFloat(0), around.getFloat(x.length() + 1));
    }
  }

  @ParameterizedTest
  @EnumSource
  void crossEntropyAndItsGradient(Implementation implementation) {
    Kernels kernels = implementation.kernels();
    onShapes(
        (rows, classes, layout) -> {
          Sample logits = matrix(random, rows, classes, layout, 4);
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
          float[] losses = new float[rows];
          assertThat(kernels.crossEntropy(logits.array(), labels, 0.125f, false, losses))
              .isCloseTo(total, within(TOLERANCE * Math.max(total, 1)));
          logits.isUnchanged();
          assertClose(
              new double[][] {Sample.doubles(losses)}, new double[][] {expected}, TOLERANCE);
          float[] again = new float[rows];
          assertThat(kernels.crossEntropy(logits.array(), labels, 0.125f, true, again))
              .isCloseTo(total, within(TOLERANCE * Math.max(total, 1)));
          assertThat(again).isEqualTo(losses);
          logits.isClose(gradient, TOLERANCE);
        });
  }

  @ParameterizedTest
  @EnumSource
  void crossEntropyOfLargeLogits(Implementation implementation) {
    INDArray logits =
        Nd4j.createFromArray(new float[][] {{3e4f, -3e4f, 0}, {Float.NEGATIVE_INFINITY, 1, 1}});
    float[] losses = new float[2];
    implementation.kernels().crossEntropy(logits, new int[] {1, 2}, 1, true, losses);
    assertThat(losses[0]).isEqualTo(6e4f);
    assertThat(losses[1]).isCloseTo((float) Math.log(2), within(1e-6f));
    assertThat(logits.getRow(0).toFloatVector()).containsExactly(1, -1, 0);
    assertThat(logits.getRow(1).toFloatVector()).containsExactly(0, 0.5f, -0.5f);
  }

  @ParameterizedTest
  @EnumSource
  void notANumberIsNeverHidden(Implementation implementation) {
    for (int classes : new int[] {3, 16, 37}) {
      for (int bad = 0; bad < classes; bad++) {
        float[][] values = new float[2][classes];
        values[1][bad] = Float.NaN;
        float[] losses = new float[2];
        INDArray logits = Nd4j.createFromArray(values);
        double sum =
            implementation.kernels().crossEntropy(logits, new int[] {0, 1}, 1, true, losses);
        assertThat(losses[0]).isCloseTo((float) Math.log(classes), within(1e-5f));
        assertThat(losses[1]).isNaN();
        assertThat(sum).isNaN();
        assertThat(logits.getFloat(1, bad)).isNaN();
      }
    }
    INDArray infinite = Nd4j.createFromArray(new float[][] {{1, Float.POSITIVE_INFINITY, 3}});
    assertThat(
            implementation.kernels().crossEntropy(infinite, new int[] {0}, 1, false, new float[1]))
        .isNaN();
  }

  @ParameterizedTest
  @EnumSource
  void adamW(Implementation implementation) {
    Kernels kernels = implementation.kernels();
    AdamW settings = new AdamW(0.9, 0.999, 1e-8, 0.01);
    for (int length : new int[] {1, 16, 37, 1000, 40000}) {
      INDArray weights = vector(random, length);
      INDArray gradient = vector(random, length);
      INDArray first = vector(random, length).muli(0.1);
      INDArray second = vector(random, length);
      second.muli(second).addi(1e-4);
      for (long step : new long[] {1, 2, 1000}) {
        double[] w = Sample.vectorOf(weights);
        double[] m = Sample.vectorOf(first);
        double[] v = Sample.vectorOf(second);
        double[] target = new double[length];
        for (int i = 0; i < length; i++) {
          double g = gradient.getFloat(i);
          m[i] = 0.9 * m[i] + 0.1 * g;
          v[i] = 0.999 * v[i] + 0.001 * g * g;
          double change =
              m[i]
                  / (1 - Math.pow(0.9, step))
                  / (Math.sqrt(v[i] / (1 - Math.pow(0.999, step))) + 1e-8);
          target[i] = w[i] * (1 - 3e-3 * 0.01) - 3e-3 * change;
        }
        INDArray virtual = Nd4j.create(length);
        INDArray firstBefore = first.dup();
        INDArray secondBefore = second.dup();
        kernels.adamW(settings, 3e-3, step, weights, gradient, first, second, virtual, false);
        assertClose(virtual, target, TOLERANCE);
        assertThat(first).isEqualTo(firstBefore);
        assertThat(second).isEqualTo(secondBefore);
        kernels.adamW(settings, 3e-3, step, weights, gradient, first, second, weights, true);
        assertThat(weights).isEqualTo(virtual);
        assertClose(first, m, TOLERANCE);
        assertClose(second, v, TOLERANCE);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void addsScaledInPlaceAndIntoSlices(Implementation implementation) {
    Kernels kernels = implementation.kernels();
    for (int length : LENGTHS) {
      Operands operands = Operands.draw(random, length);
      INDArray x = operands.x();
      INDArray y = operands.y();
      List<Float> neighbours = operands.neighbours();
      INDArray target = Nd4j.create(length);
      kernels.addScaled(x, -0.3, y, target);
      assertClose(target, operands.expected((a, b) -> a - 0.3 * b), TOLERANCE);
      INDArray yCopy = y.dup();
      kernels.addScaled(x, -0.3, yCopy, yCopy);
      assertThat(yCopy).isEqualTo(target);
      kernels.addScaled(x, -0.3, y, x);
      assertThat(x).isEqualTo(target);
      kernels.scale(x, 2);
      assertThat(x).isEqualTo(target.mul(2));
      assertThat(operands.neighbours()).isEqualTo(neighbours);
    }
  }

  @ParameterizedTest
  @EnumSource
  void multipliesInPlaceAndIntoSlices(Implementation implementation) {
    Kernels kernels = implementation.kernels();
    for (int length : LENGTHS) {
      Operands operands = Operands.draw(random, length);
      INDArray x = operands.x();
      INDArray y = operands.y();
      List<Float> neighbours = operands.neighbours();
      INDArray target = Nd4j.create(length);
      kernels.multiply(x, y, target);
      assertClose(target, operands.expected((a, b) -> a * b), TOLERANCE);
      kernels.multiply(x, y, x);
      assertThat(x).isEqualTo(target);
      assertThat(operands.neighbours()).isEqualTo(neighbours);
    }
  }

  @ParameterizedTest
  @EnumSource
  void normIsAccumulatedIn64Bits(Implementation implementation) {
    for (int length : new int[] {1, 5, 64, 100, 1_000_003}) {
      INDArray x = vector(random, length);
      double sum = 0;
      for (double value : Sample.vectorOf(x)) {
        sum += value * value;
      }
      assertThat(implementation.kernels().norm(x))
          .isCloseTo(Math.sqrt(sum), within(1e-9 * Math.sqrt(sum)));
    }
    assertThat(implementation.kernels().norm(Nd4j.createFromArray(3e30f, 4e30f)))
        .isCloseTo(5e30, within(1e24));
    assertThat(implementation.kernels().norm(Nd4j.createFromArray(1, Float.NaN))).isNaN();
  }
}
