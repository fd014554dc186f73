package io.guilomo.kernel;

import static io.guilomo.kernel.Sample.matrix;
import static io.guilomo.kernel.Sample.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.kernel.Sample.Layout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Same bits whatever the number of threads, and whoever else computes at the same time. */
class TestThreadIndependence {
  private static final int TOKENS = 400;
  private final Kernels kernels = KernelSelection.named("vector");

  @AfterEach
  void reset() {
    ComputeThreads.limit(Runtime.getRuntime().availableProcessors());
  }

  @Test
  void theNumberOfThreadsDoesNotChangeABit() {
    ComputeThreads.limit(1);
    List<float[]> expected = everything();
    for (int threads : new int[] {2, 3, 1, 2}) {
      ComputeThreads.limit(threads);
      assertSame(everything(), expected);
    }
  }

  @ParameterizedTest
  @CsvSource({
    // Small ones, and ones that two threads share by rows or by columns.
    "420, 3, 420", "20, 11, 11", "2, 6, 96", "16, 8, 224", "4, 20, 420",
    "600, 384, 96", "413, 200, 384", "256, 1536, 384", "250, 1500, 100", "64, 1536, 256"
  })
  void theNumberOfThreadsDoesNotChangeABitOfAProduct(int rows, int columns, int inner) {
    Random random = new Random(4);
    INDArray a = matrix(kernels, random, rows, inner, Layout.CONTIGUOUS).array();
    INDArray b = matrix(kernels, random, columns, inner, Layout.CONTIGUOUS).array();
    List<float[]> results = new ArrayList<>();
    for (int threads : new int[] {1, 2, 3}) {
      ComputeThreads.limit(threads);
      INDArray c = Nd4j.create(rows, columns);
      kernels.product(a, false, b, true, c, false);
      add(results, c);
    }
    assertThat(results).allMatch(result -> Arrays.equals(result, results.get(0)));
  }

  @Test
  void replicasDoNotChangeABit() {
    List<float[]> expected = everything();
    for (int threads : new int[] {1, 2, 4}) {
      ComputeThreads.limit(threads);
      List<List<float[]>> results = new ArrayList<>(Arrays.asList(null, null, null));
      kernels.runConcurrently(3, replica -> results.set(replica, everything()));
      results.forEach(result -> assertSame(result, expected));
    }
  }

  @Test
  void callersDoNotDisturbEachOther() throws Exception {
    List<float[]> expected = everything();
    ExecutorService callers = Executors.newFixedThreadPool(3);
    try {
      List<Callable<List<float[]>>> calls =
          List.of(this::everything, this::everything, this::everything);
      for (Future<List<float[]>> results : callers.invokeAll(calls)) {
        assertSame(results.get(), expected);
      }
    } finally {
      callers.shutdown();
    }
  }

  @Test
  void aFailureInARangeReachesTheCaller() {
    assertThatThrownBy(
            () ->
                KernelThreads.run(
                    100,
                    1,
                    (from, to) -> {
                      if (from == 37) {
                        throw new IllegalStateException("range 37");
                      }
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("range 37");
  }

  @Test
  void noThreadsAreRefused() {
    assertThatThrownBy(() -> ComputeThreads.limit(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot compute with 0 threads");
  }

  private static void assertSame(List<float[]> actual, List<float[]> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      assertThat(Arrays.equals(actual.get(i), expected.get(i))).as("result %d", i).isTrue();
    }
  }

  private List<float[]> everything() {
    Random random = new Random(9);
    INDArray x = matrix(kernels, random, TOKENS, 96, Layout.VIEW).array();
    INDArray y = matrix(kernels, random, TOKENS, 96, Layout.CONTIGUOUS).array();
    INDArray z = matrix(kernels, random, TOKENS, 96, Layout.CONTIGUOUS).array();
    List<float[]> results = new ArrayList<>();
    INDArray sum = Nd4j.create(96);
    kernels.columnSums(x, sum);
    results.add(sum.toFloatVector());
    INDArray inverse = Nd4j.create(TOKENS);
    kernels.rmsNorm(x, sum, 1e-5f, y, inverse);
    kernels.rmsNormBackward(x, y, sum, inverse, z);
    INDArray gradient = Nd4j.create(64, 96);
    kernels.product(
        matrix(kernels, random, TOKENS, 64, Layout.CONTIGUOUS).array(),
        true,
        z,
        false,
        gradient,
        false);
    add(results, y, z, gradient);

    AttentionShape shape = new AttentionShape(6, 3, 16, 0.25f, true, 0);
    int[] starts = {0, 150, 151, 300, 400};
    INDArray k = matrix(kernels, random, TOKENS, 48, Layout.CONTIGUOUS).array();
    INDArray v = matrix(kernels, random, TOKENS, 48, Layout.CONTIGUOUS).array();
    INDArray p = Nd4j.create(6 * (150 * 150 + 1 + 149 * 149 + 100 * 100));
    INDArray dk = k.dup();
    INDArray dv = v.dup();
    kernels.attention(shape, starts, x, k, v, p, y);
    kernels.attentionBackward(shape, starts, y, x, k, v, y, p, z, dk, dv);
    add(results, y, z, dk, dv);
    int[] lastTokens = {0, 1, 2, 3, 4};
    int[] lengths = {150, 1, 149, 100};
    INDArray last = matrix(kernels, random, 4, 96, Layout.CONTIGUOUS).array();
    INDArray attended = last.dup();
    kernels.cachedAttention(
        shape, lastTokens, Arrays.copyOf(starts, 4), lengths, last, k, v, attended);
    add(results, attended);

    AttentionShape capped = new AttentionShape(6, 3, 16, 0.25f, false, 40, 2);
    kernels.attention(capped, starts, x, k, v, p, y);
    kernels.attentionBackward(capped, starts, y, x, k, v, y, p, z, dk, dv);
    add(results, y, z, dk, dv);
    kernels.activateBackward(Activation.GELU_TANH, y, x, z);
    kernels.softcap(z, 3);
    add(results, z);

    INDArray weights = matrix(kernels, random, TOKENS, 3, Layout.CONTIGUOUS).array();
    INDArray dWeights = Nd4j.create(TOKENS, 3);
    INDArray dCoefficients = Nd4j.create(96);
    int[] firstColumn = {0, 10, 40, 96};
    kernels.scaleExpertsBackward(y, z, true, weights, sum, firstColumn, dWeights, dCoefficients);
    add(results, y, z, dWeights, row(dCoefficients));
    ExpertChoice choice = kernels.choice(2 * TOKENS);
    INDArray statistics = KernelArrays.doubles(kernels, 6);
    kernels.route(dWeights, null, 2, false, choice, weights.dup(), weights, statistics);
    add(results, weights);
    INDArray flat = vector(kernels, random, 200_000);
    kernels.adamW(
        new AdamW(0.9, 0.999, 1e-8, 0),
        1e-3,
        1,
        flat,
        flat.dup(),
        flat.dup(),
        flat.mul(flat),
        flat,
        true);
    results.add(flat.toFloatVector());
    INDArray losses = Nd4j.create(TOKENS);
    INDArray totals = KernelArrays.doubles(kernels, 2);
    int[] labels = random.ints(TOKENS, 0, 96).toArray();
    kernels.crossEntropy(x, labels, 1, false, losses, totals);
    kernels.crossEntropy(x, labels, 1, true, losses, totals);
    results.add(losses.toFloatVector());
    double[] sums = KernelArrays.doubleValues(kernels, totals);
    results.add(
        new float[] {
          (float) kernels.norm(flat),
          (float) sums[0],
          (float) sums[1],
          (float) KernelArrays.doubleValues(kernels, statistics)[4]
        });
    return results;
  }

  private static INDArray row(INDArray vector) {
    return vector.reshape(1, vector.length());
  }

  private static void add(List<float[]> results, INDArray... matrices) {
    for (INDArray matrix : matrices) {
      results.add(matrix.dup('c').reshape(matrix.length()).toFloatVector());
    }
  }
}
