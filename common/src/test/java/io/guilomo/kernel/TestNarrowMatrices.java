package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArrays.filled;
import static io.guilomo.kernel.KernelArrays.rows;
import static io.guilomo.kernel.Sample.matrix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.config.KernelsConfig.Products;
import io.guilomo.kernel.Kernels.Accuracy;
import io.guilomo.kernel.Sample.Layout;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Frozen matrices of 16-bit floats, with each library that multiplies on processors. */
class TestNarrowMatrices {
  private static final double TOLERANCE = 2e-6;

  /** Of a value that is rounded to bfloat16. */
  private static final double ROUNDING = 0x1p-8;

  /** Rows and columns of a matrix, and rows of what it is multiplied by. */
  private static final int[][] SHAPES = {
    {1, 1, 1}, {5, 3, 1}, {3, 33, 7}, {37, 21, 50}, {130, 64, 130}, {1100, 16, 90}, {16, 1100, 600}
  };

  private final Random random = new Random(1);

  static Stream<Arguments> kernels() {
    return KernelsUnderTest.names().stream()
        .flatMap(
            name ->
                name.equals("vector")
                    ? Stream.of(
                        Arguments.of(name, Products.AUTO), Arguments.of(name, Products.BLAS))
                    : Stream.of(Arguments.of(name, Products.AUTO)));
  }

  private static Kernels open(String name, Products library) {
    if (!name.equals("vector")) {
      return KernelsUnderTest.named(name);
    }
    KernelSelection.useProducts(library);
    return KernelSelection.named(name);
  }

  @AfterEach
  void reset() {
    KernelSelection.useProducts(null);
    if (KernelsUnderTest.names().contains("vector")) {
      KernelSelection.named("vector");
    }
  }

  private static List<DataType> types(Kernels kernels) {
    return kernels.keepsHalf()
        ? List.of(DataType.BFLOAT16, DataType.HALF)
        : List.of(DataType.BFLOAT16);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void exactProductsRoundNoActivations(String name, Products library) {
    Kernels kernels = open(name, library);
    // Where bfloat16 is multiplied, activations are split into two parts.
    double tolerance = name.equals("portable") ? TOLERANCE : 2e-5;
    products(kernels, Accuracy.EXACT, tolerance);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void otherProductsRoundThemAtMost(String name, Products library) {
    Kernels kernels = open(name, library);
    products(kernels, Accuracy.ROUNDED, ROUNDING);
  }

  private void products(Kernels kernels, Accuracy accuracy, double tolerance) {
    kernels.accuracy(accuracy);
    try {
      for (DataType type : types(kernels)) {
        for (int[] shape : SHAPES) {
          for (boolean accumulate : new boolean[] {false, true}) {
            forward(kernels, type, shape[0], shape[1], shape[2], accumulate, tolerance);
            backward(kernels, type, shape[0], shape[1], shape[2], accumulate, tolerance);
          }
        }
      }
    } finally {
      kernels.accuracy(Accuracy.EXACT);
    }
  }

  private void forward(
      Kernels kernels,
      DataType type,
      int outputs,
      int inputs,
      int tokens,
      boolean accumulate,
      double tolerance) {
    float[][] values = values(outputs, inputs);
    FrozenMatrix weight = frozen(kernels, type, values);
    Sample x = matrix(kernels, random, tokens, inputs, Layout.VIEW);
    INDArray y = filled(kernels, 2, tokens, outputs);
    kernels.matmul(x.array(), weight, y, accumulate);
    float[][] transposed = new float[inputs][outputs];
    for (int i = 0; i < inputs; i++) {
      for (int o = 0; o < outputs; o++) {
        transposed[i][o] = values[o][i];
      }
    }
    assertProduct(rows(kernels, y), x.values(), transposed, accumulate, tolerance);
    x.isUnchanged();
    kernels.release(weight);
  }

  private void backward(
      Kernels kernels,
      DataType type,
      int outputs,
      int inputs,
      int tokens,
      boolean accumulate,
      double tolerance) {
    float[][] values = values(outputs, inputs);
    FrozenMatrix weight = frozen(kernels, type, values);
    Sample dy = matrix(kernels, random, tokens, outputs, Layout.VIEW);
    INDArray dx = filled(kernels, 2, tokens, inputs);
    kernels.matmulBackward(dy.array(), weight, dx, accumulate);
    assertProduct(rows(kernels, dx), dy.values(), values, accumulate, tolerance);
    dy.isUnchanged();
    kernels.release(weight);
  }

  /** Some rows of {@code left · right}, or of 2 more. */
  private static void assertProduct(
      float[][] found, double[][] left, float[][] right, boolean accumulate, double tolerance) {
    for (int t = 0; t < found.length; t += 1 + found.length / 20) {
      for (int j = 0; j < right[0].length; j++) {
        double sum = accumulate ? 2 : 0;
        double size = 1;
        for (int k = 0; k < right.length; k++) {
          sum += left[t][k] * right[k][j];
          size += Math.abs(left[t][k] * right[k][j]);
        }
        assertThat((double) found[t][j]).isCloseTo(sum, within(tolerance * size));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void gathersRowsAsTheyAre(String name, Products library) {
    Kernels kernels = open(name, library);
    for (DataType type : types(kernels)) {
      for (int columns : new int[] {1, 17, 96}) {
        float[][] values = values(9, columns);
        FrozenMatrix table = frozen(kernels, type, values);
        for (boolean accumulate : new boolean[] {false, true}) {
          INDArray result = filled(kernels, 0, 3, columns);
          kernels.gatherRows(table, new int[] {8, 0, 8}, result, accumulate);
          assertThat(rows(kernels, result))
              .isDeepEqualTo(new float[][] {values[8], values[0], values[8]});
        }
        kernels.release(table);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void halfPrecisionKeepsItsSmallestAndItsLargest(String name, Products library) {
    Kernels kernels = open(name, library);
    if (!kernels.keepsHalf()) {
      return;
    }
    float[][] values = new float[1][40];
    float[] special = {
      0x1p-24f, -0x3p-24f, 0x1p-14f, 65504, -65504, 0f, -0f, 1 + 0x1p-10f, Float.POSITIVE_INFINITY
    };
    for (int i = 0; i < values[0].length; i++) {
      values[0][i] = special[i % special.length];
    }
    FrozenMatrix table = frozen(kernels, DataType.HALF, values);
    INDArray result = filled(kernels, 0, 1, 40);
    kernels.gatherRows(table, new int[1], result, false);
    assertThat(rows(kernels, result)).isDeepEqualTo(values);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void replicasRoundAsTheirCallerDoes(String name, Products library) {
    Kernels kernels = open(name, library);
    FrozenMatrix weight = frozen(kernels, DataType.BFLOAT16, values(64, 64));
    INDArray x = matrix(kernels, random, 40, 64, Layout.CONTIGUOUS).array();
    for (Accuracy accuracy : Accuracy.values()) {
      kernels.accuracy(accuracy);
      INDArray expected = filled(kernels, 0, 40, 64);
      kernels.matmul(x, weight, expected, false);
      INDArray[] found = {filled(kernels, 0, 40, 64), filled(kernels, 0, 40, 64)};
      kernels.runConcurrently(2, i -> kernels.matmul(x, weight, found[i], false));
      for (INDArray each : found) {
        assertThat(rows(kernels, each)).isDeepEqualTo(rows(kernels, expected));
      }
    }
    kernels.accuracy(Accuracy.EXACT);
    kernels.release(weight);
  }

  /** Values that bfloat16 and float16 have. */
  private float[][] values(int rows, int columns) {
    float[][] values = new float[rows][columns];
    for (float[] row : values) {
      for (int i = 0; i < columns; i++) {
        row[i] = (random.nextInt(255) - 127) / 64f;
      }
    }
    return values;
  }

  private static FrozenMatrix frozen(Kernels kernels, DataType type, float[][] values) {
    FrozenMatrix matrix = kernels.frozen(type, values.length, values[0].length);
    for (int row = 0; row < values.length; row++) {
      matrix.put((long) row * values[0].length, values[row], values[0].length);
    }
    return matrix;
  }
}
