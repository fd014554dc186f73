package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArrays.array;
import static io.guilomo.kernel.KernelArrays.doubleValues;
import static io.guilomo.kernel.KernelArrays.doubles;
import static io.guilomo.kernel.KernelArrays.rows;
import static io.guilomo.kernel.KernelArrays.zeros;
import static io.guilomo.kernel.Sample.matrix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.kernel.Sample.Layout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The reference finds the threshold by bisection, where the kernels sort. */
class TestSparsegen {

  private static final double TOLERANCE = 2e-6;
  private final Random random = new Random(11);

  /** {@code max(0, u − τ) / (1 − λ)} with the τ for which they add up to 1. */
  private static double[] projection(double[] u, double lambda) {
    double low = Arrays.stream(u).min().orElseThrow() - 1 + lambda;
    double high = Arrays.stream(u).max().orElseThrow();
    for (int i = 0; i < 200; i++) {
      double middle = (low + high) / 2;
      double sum = Arrays.stream(u).map(one -> Math.max(0, one - middle) / (1 - lambda)).sum();
      if (sum > 1) {
        low = middle;
      } else {
        high = middle;
      }
    }
    double threshold = low;
    return Arrays.stream(u).map(one -> Math.max(0, one - threshold) / (1 - lambda)).toArray();
  }

  private static double lambda(double z) {
    return Math.log(1 / (1 + Math.exp(-z))) + 0.99;
  }

  /** {@code λ_lo(k)}, from which on at most {@code k} experts are used. */
  private static double bound(double[] u, int k) {
    if (k >= u.length) {
      return Double.NEGATIVE_INFINITY;
    }
    double[] sorted = Arrays.stream(u).map(one -> -one).sorted().map(one -> -one).toArray();
    double sum = 0;
    for (int j = 0; j < k; j++) {
      sum += sorted[j];
    }
    return 1 - (sum - k * sorted[k]);
  }

  @OnEveryKernels
  void projectsOntoTheSimplex(Kernels kernels) {
    for (int tokens : new int[] {1, 3, 17, 130}) {
      for (int experts : new int[] {1, 3, 8, 21}) {
        for (Layout layout : Layout.values()) {
          projects(kernels, tokens, experts, layout);
        }
      }
    }
  }

  private void projects(Kernels kernels, int tokens, int experts, Layout layout) {
    Sample logits = matrix(kernels, random, tokens, experts, layout);
    Sample z = matrix(kernels, random, tokens, 1, layout, 2);
    Sample weights = matrix(kernels, random, tokens, experts, layout);
    Sample shortfall = matrix(kernels, random, tokens, 1, layout);
    INDArray mask = Sample.vector(kernels, random, experts);
    ExpertChoice choice = kernels.choice(tokens * experts);
    INDArray statistics = doubles(kernels, experts + 1);
    int target = Math.min(2, experts);
    kernels.sparsegen(
        logits.array(),
        mask,
        z.array(),
        target,
        false,
        choice,
        weights.array(),
        shortfall.array(),
        statistics);
    double[][] expected = new double[tokens][];
    double[][] lacking = new double[tokens][1];
    double[] sums = new double[experts + 1];
    int[] chosen = choice.toArray();
    for (int t = 0; t < tokens; t++) {
      double[] u = masked(logits.values()[t], Sample.vectorOf(kernels, mask));
      double lambda = lambda(z.values()[t][0]);
      expected[t] = projection(u, lambda);
      lacking[t][0] = Math.max(0, bound(u, target) - lambda);
      sums[experts] += lacking[t][0];
      int used = 0;
      for (int e = 0; e < experts; e++) {
        used += expected[t][e] > 0 ? 1 : 0;
        sums[e] += expected[t][e] > 0 ? 1 : 0;
      }
      assertThat(lambda).isGreaterThanOrEqualTo(bound(u, used));
      assertThat(used == 1 || lambda < bound(u, used - 1)).isTrue();
      for (int slot = 0; slot < experts; slot++) {
        int one = chosen[t * experts + slot];
        assertThat(one >= 0).isEqualTo(slot < used);
        assertThat(slot == 0 || one < 0 || u[one] <= u[chosen[t * experts + slot - 1]]).isTrue();
      }
    }
    weights.isClose(expected, TOLERANCE);
    shortfall.isClose(lacking, TOLERANCE, 1);
    logits.isUnchanged();
    double[] measured = doubleValues(kernels, statistics);
    assertThat(Arrays.copyOf(measured, experts)).containsExactly(Arrays.copyOf(sums, experts));
    assertThat(measured[experts]).isCloseTo(sums[experts], within(1e-4 * (1 + sums[experts])));

    differentiates(kernels, logits, mask, z, choice, weights, shortfall, layout);
  }

  /** Against central differences of the reference. */
  private void differentiates(
      Kernels kernels,
      Sample logits,
      INDArray mask,
      Sample z,
      ExpertChoice choice,
      Sample weights,
      Sample shortfall,
      Layout layout) {
    int tokens = logits.values().length;
    int experts = logits.values()[0].length;
    Sample dWeights = matrix(kernels, random, tokens, experts, layout);
    Sample dLogits = matrix(kernels, random, tokens, experts, layout);
    Sample dz = matrix(kernels, random, tokens, 1, layout);
    kernels.sparsegenBackward(
        dWeights.array(),
        array(kernels, 0.25f),
        z.array(),
        choice,
        weights.array(),
        shortfall.array(),
        dLogits.array(),
        dz.array());
    double[] masks = Sample.vectorOf(kernels, mask);
    double[][] expected = new double[tokens][experts];
    double[][] expectedDz = new double[tokens][1];
    double step = 1e-6;
    for (int t = 0; t < tokens; t++) {
      double[] u = masked(logits.values()[t], masks);
      double[] dw = dWeights.values()[t];
      double own = z.values()[t][0];
      boolean[] used = used(projection(u, lambda(own)));
      for (int e = 0; e < experts; e++) {
        double[] above = u.clone();
        double[] below = u.clone();
        above[e] += step;
        below[e] -= step;
        expected[t][e] =
            used[e]
                ? (dot(dw, fixed(above, lambda(own), used))
                        - dot(dw, fixed(below, lambda(own), used)))
                    / (2 * step)
                : 0;
      }
      double slope =
          (dot(dw, fixed(u, lambda(own + step), used))
                  - dot(dw, fixed(u, lambda(own - step), used)))
              / (2 * step);
      if (bound(u, Math.min(2, experts)) > lambda(own)) {
        slope -= 0.25 * (lambda(own + step) - lambda(own - step)) / (2 * step);
      }
      expectedDz[t][0] = dz.values()[t][0] + slope;
    }
    dLogits.isClose(expected, 1e-5, 0.1);
    dz.isClose(expectedDz, 1e-5, 0.1);
    dWeights.isUnchanged();
  }

  private static boolean[] used(double[] weights) {
    boolean[] used = new boolean[weights.length];
    for (int e = 0; e < used.length; e++) {
      used[e] = weights[e] > 0;
    }
    return used;
  }

  /** The projection onto the affine hull of the experts in use. */
  private static double[] fixed(double[] u, double lambda, boolean[] used) {
    double sum = 0;
    int count = 0;
    for (int e = 0; e < u.length; e++) {
      sum += used[e] ? u[e] : 0;
      count += used[e] ? 1 : 0;
    }
    double[] weights = new double[u.length];
    for (int e = 0; e < u.length; e++) {
      weights[e] = used[e] ? (u[e] - (sum - 1 + lambda) / count) / (1 - lambda) : 0;
    }
    return weights;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static double[] masked(double[] logits, double[] mask) {
    double[] sum = new double[logits.length];
    Arrays.setAll(sum, e -> logits[e] + mask[e]);
    return sum;
  }

  @Test
  void theReferenceAddsUpToOne() {
    assertThat(projection(new double[] {0.5, 0.1, -2}, 0.5))
        .containsExactly(new double[] {0.9, 0.1, 0}, within(1e-9));
  }

  @OnEveryKernels
  void aReplayKeepsTheExperts(Kernels kernels) {
    INDArray z = zeros(kernels, 1, 1);
    INDArray weights = zeros(kernels, 1, 3);
    INDArray shortfall = zeros(kernels, 1, 1);
    INDArray statistics = doubles(kernels, 4);
    ExpertChoice choice = kernels.choice(3);
    INDArray first = array(kernels, new float[][] {{2, 1.9f, -3}});
    kernels.sparsegen(first, null, z, 2, false, choice, weights, shortfall, statistics);
    assertThat(choice.toArray()).containsExactly(0, 1, -1);
    INDArray moved = array(kernels, new float[][] {{2, 1, 5}});
    kernels.sparsegen(moved, null, z, 2, true, choice, weights, shortfall, statistics);
    assertThat(choice.toArray()).containsExactly(0, 1, -1);
    double rest = 1 - lambda(0);
    double threshold = (3 - rest) / 2;
    assertThat(rows(kernels, weights)[0][0])
        .isCloseTo((float) ((2 - threshold) / rest), within(1e-6f));
    assertThat(rows(kernels, weights)[0][1])
        .isCloseTo((float) ((1 - threshold) / rest), within(1e-6f));
    assertThat(rows(kernels, weights)[0][1]).isNegative();
    assertThat(rows(kernels, weights)[0][2]).isZero();
    assertThat(doubleValues(kernels, statistics)).startsWith(1, 1, 0);
  }

  @OnEveryKernels
  void notANumberIsNotRoutedAway(Kernels kernels) {
    INDArray logits = array(kernels, new float[][] {{1, Float.NaN, 3}, {1, 2, 3}});
    INDArray z = array(kernels, new float[][] {{0}, {Float.NaN}});
    INDArray weights = zeros(kernels, 2, 3);
    kernels.sparsegen(
        logits,
        null,
        z,
        2,
        false,
        kernels.choice(6),
        weights,
        zeros(kernels, 2, 1),
        doubles(kernels, 4));
    assertThat(rows(kernels, weights)[0]).contains(Float.NaN);
    assertThat(rows(kernels, weights)[1]).contains(Float.NaN);
  }
}
