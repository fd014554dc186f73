package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArrays.filled;
import static io.guilomo.kernel.KernelArrays.rows;
import static io.guilomo.kernel.Sample.matrix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.kernel.Kernels.Accuracy;
import io.guilomo.kernel.Sample.Layout;
import io.guilomo.model.UserException;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Frozen matrices of 8-bit integers with a scale for each row. */
class TestQuantizedMatrices {
  private static final double TOLERANCE = 2e-6;

  /** Rows and columns of a matrix, and rows of what it is multiplied by. */
  private static final int[][] SHAPES = {
    {1, 1, 1}, {5, 3, 1}, {3, 33, 7}, {37, 21, 50}, {130, 64, 130}, {1100, 16, 90}, {16, 1100, 600}
  };

  private final Random random = new Random(1);

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void productsAreThoseOfTheIntegersTimesTheirScale(Kernels kernels) {
    if (!kernels.memory().equals(Kernels.HOST)) {
      return;
    }
    for (Accuracy accuracy : Accuracy.values()) {
      kernels.accuracy(accuracy);
      for (int[] shape : SHAPES) {
        float[][] values = values(shape[0], shape[1]);
        QuantizedMatrix weight = quantized(kernels, values);
        float[][] widened = widened(weight);
        for (boolean accumulate : new boolean[] {false, true}) {
          product(kernels, weight, widened, shape[2], false, accumulate);
          product(kernels, weight, widened, shape[2], true, accumulate);
        }
        kernels.release(weight);
      }
    }
    kernels.accuracy(Accuracy.EXACT);
  }

  /**
   * @param backward whether {@code dy · W} is computed; else {@code x · Wᵀ}
   */
  private void product(
      Kernels kernels,
      QuantizedMatrix weight,
      float[][] widened,
      int tokens,
      boolean backward,
      boolean accumulate) {
    int inner = (int) (backward ? weight.rows() : weight.columns());
    int outer = (int) (backward ? weight.columns() : weight.rows());
    Sample a = matrix(kernels, random, tokens, inner, Layout.VIEW);
    INDArray c = filled(kernels, 2, tokens, outer);
    if (backward) {
      kernels.matmulBackward(a.array(), weight, c, accumulate);
    } else {
      kernels.matmul(a.array(), weight, c, accumulate);
    }
    float[][] found = rows(kernels, c);
    for (int t = 0; t < tokens; t += 1 + tokens / 20) {
      for (int o = 0; o < outer; o++) {
        double sum = accumulate ? 2 : 0;
        double size = 1;
        for (int i = 0; i < inner; i++) {
          double term = (double) a.values()[t][i] * (backward ? widened[i][o] : widened[o][i]);
          sum += term;
          size += Math.abs(term);
        }
        assertThat((double) found[t][o]).isCloseTo(sum, within(TOLERANCE * size));
      }
    }
    a.isUnchanged();
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void gatheredRowsAreTheIntegersTimesTheirScale(Kernels kernels) {
    if (!kernels.memory().equals(Kernels.HOST)) {
      return;
    }
    for (int columns : new int[] {1, 17, 96}) {
      QuantizedMatrix table = quantized(kernels, values(9, columns));
      float[][] widened = widened(table);
      INDArray result = filled(kernels, 0, 3, columns);
      kernels.gatherRows(table, new int[] {8, 0, 8}, result, false);
      assertThat(rows(kernels, result))
          .isDeepEqualTo(new float[][] {widened[8], widened[0], widened[8]});
      kernels.gatherRows(table, new int[] {0, 1, 2}, result, true);
      float[][] sums = rows(kernels, result);
      for (int i = 0; i < columns; i++) {
        assertThat(sums[1][i]).isEqualTo(widened[0][i] + widened[1][i]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void aProductRepeatsItsBits(Kernels kernels) {
    if (!kernels.memory().equals(Kernels.HOST)) {
      return;
    }
    QuantizedMatrix weight = quantized(kernels, values(130, 64));
    INDArray x = matrix(kernels, random, 90, 64, Layout.VIEW).array();
    INDArray first = filled(kernels, 0, 90, 130);
    INDArray second = filled(kernels, 0, 90, 130);
    kernels.matmul(x, weight, first, false);
    kernels.matmul(x, weight, second, false);
    assertThat(rows(kernels, second)).isDeepEqualTo(rows(kernels, first));
  }

  @Test
  void theLargestOfARowBecomes127AndTheOthersAreRounded() {
    float[] row = {-254, 0, 1, 3, 127.1f, 253.5f, 254};
    QuantizedMatrix matrix =
        quantized(KernelSelection.portable(), new float[][] {row, new float[7]});
    assertThat(matrix.scales().toFloatVector()).containsExactly(2, 0);
    // 0.5 and 1.5 are ties, which become even.
    assertThat(integers(matrix)[0]).containsExactly(-127, 0, 0, 2, 64, 127, 127);
    assertThat(integers(matrix)[1]).containsOnly(0);
    double lost = 1 + 1 + Math.pow(128 - 127.1f, 2) + 0.25;
    double all = 2 * 254 * 254 + 1 + 9 + Math.pow(127.1f, 2) + Math.pow(253.5, 2);
    assertThat(matrix.error().relative()).isCloseTo(Math.sqrt(lost / all), within(1e-9));
    assertThat(matrix.bytes()).isEqualTo(2 * 7 + 2 * 4);
  }

  @Test
  void valuesTooSmallForAScaleBecomeZero() {
    float smallest = Float.MIN_VALUE;
    QuantizedMatrix matrix =
        quantized(KernelSelection.portable(), new float[][] {{smallest, -smallest, 0}});
    assertThat(integers(matrix)[0]).containsOnly(0);
    assertThat(matrix.error().relative()).isEqualTo(1);
  }

  @Test
  void elementsComeInOrder() {
    float[][] values = values(5, 7);
    float[] flat = new float[35];
    for (int row = 0; row < 5; row++) {
      System.arraycopy(values[row], 0, flat, 7 * row, 7);
    }
    FrozenMatrix pieces = KernelSelection.portable().frozen(DataType.BYTE, 5, 7);
    for (int done = 0; done < 35; done += 9) {
      int count = Math.min(9, 35 - done);
      pieces.put(done, Arrays.copyOfRange(flat, done, done + 9), count);
    }
    assertThat(widened((QuantizedMatrix) pieces))
        .isDeepEqualTo(widened(quantized(KernelSelection.portable(), values)));
    FrozenMatrix other = KernelSelection.portable().frozen(DataType.BYTE, 5, 7);
    other.put(0, flat, 10);
    assertThatThrownBy(() -> other.put(14, flat, 7))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot set elements 14 to 21 of 35: 10 are set");
    assertThatThrownBy(() -> other.put(10, flat, 26))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot set elements 10 to 36 of 35: 10 are set");
  }

  @Test
  void whatIsNotFiniteHasNoScale() {
    for (float value : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
      FrozenMatrix matrix = KernelSelection.portable().frozen(DataType.BYTE, 1, 2);
      assertThatThrownBy(() -> matrix.put(0, new float[] {1, value}, 2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Cannot round %s to 8 bits".formatted(value));
    }
  }

  @Test
  void otherMemoriesKeepNone() {
    assertThatThrownBy(() -> KernelsUnderTest.named("remote").frozen(DataType.BYTE, 2, 2))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot keep weights as int8 in the memory of remote, which multiplies none here: set"
                + " model.precision=bfloat16, or cluster.device=cpu");
  }

  private float[][] values(int rows, int columns) {
    float[][] values = new float[rows][columns];
    for (float[] row : values) {
      double deviation = random.nextDouble();
      for (int i = 0; i < columns; i++) {
        row[i] = (float) (deviation * random.nextGaussian());
      }
    }
    return values;
  }

  private static QuantizedMatrix quantized(Kernels kernels, float[][] values) {
    FrozenMatrix matrix = kernels.frozen(DataType.BYTE, values.length, values[0].length);
    for (int row = 0; row < values.length; row++) {
      matrix.put((long) row * values[0].length, values[row], values[0].length);
    }
    return (QuantizedMatrix) matrix;
  }

  private static int[][] integers(QuantizedMatrix matrix) {
    return IntStream.range(0, (int) matrix.rows())
        .mapToObj(row -> matrix.elements().getRow(row).toIntVector())
        .toArray(int[][]::new);
  }

  /** The weights that a matrix stands for. */
  private static float[][] widened(QuantizedMatrix matrix) {
    int[][] integers = integers(matrix);
    float[][] widened = new float[integers.length][(int) matrix.columns()];
    for (int row = 0; row < integers.length; row++) {
      float scale = matrix.scales().getFloat(row);
      for (int i = 0; i < widened[row].length; i++) {
        widened[row][i] = integers[row][i] * scale;
      }
    }
    return widened;
  }
}
