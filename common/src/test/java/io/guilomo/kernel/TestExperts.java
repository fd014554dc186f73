package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArrays.array;
import static io.guilomo.kernel.KernelArrays.copy;
import static io.guilomo.kernel.KernelArrays.doubleValues;
import static io.guilomo.kernel.KernelArrays.doubles;
import static io.guilomo.kernel.KernelArrays.rows;
import static io.guilomo.kernel.KernelArrays.values;
import static io.guilomo.kernel.KernelArrays.zeros;
import static io.guilomo.kernel.Sample.assertClose;
import static io.guilomo.kernel.Sample.matrix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.kernel.Sample.Layout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class TestExperts {
  private static final double TOLERANCE = 2e-6;
  private final Random random = new Random(5);

  /** {@code p̂} of one token for a given choice. */
  private static double[] weights(double[] logits, double[] mask, int[] chosen) {
    double[] p = softmax(logits, mask);
    double sum = 0;
    for (int e : chosen) {
      sum += p[e];
    }
    double[] weights = new double[logits.length];
    for (int e : chosen) {
      weights[e] = p[e] / sum;
    }
    return weights;
  }

  private static double[] softmax(double[] logits, double[] mask) {
    double[] p = new double[logits.length];
    double largest = Double.NEGATIVE_INFINITY;
    for (int e = 0; e < p.length; e++) {
      p[e] = logits[e] + mask[e];
      largest = Math.max(largest, p[e]);
    }
    double sum = 0;
    for (int e = 0; e < p.length; e++) {
      p[e] = Math.exp(p[e] - largest);
      sum += p[e];
    }
    for (int e = 0; e < p.length; e++) {
      p[e] /= sum;
    }
    return p;
  }

  private static int[] largest(double[] p, int topK) {
    int[] chosen = new int[topK];
    boolean[] taken = new boolean[p.length];
    for (int slot = 0; slot < topK; slot++) {
      int best = -1;
      for (int e = 0; e < p.length; e++) {
        if (!taken[e] && (best < 0 || p[e] > p[best])) {
          best = e;
        }
      }
      taken[best] = true;
      chosen[slot] = best;
    }
    return chosen;
  }

  @OnEveryKernels
  void routesToTheMostProbable(Kernels kernels) {
    for (int tokens : new int[] {1, 3, 17, 130}) {
      for (int experts : new int[] {3, 8, 16, 21}) {
        for (int topK = 1; topK <= 3; topK++) {
          for (Layout layout : Layout.values()) {
            routes(kernels, tokens, experts, topK, layout);
          }
        }
      }
    }
  }

  private void routes(Kernels kernels, int tokens, int experts, int topK, Layout layout) {
    Sample logits = matrix(kernels, random, tokens, experts, layout, 2);
    Sample p = matrix(kernels, random, tokens, experts, layout);
    Sample weights = matrix(kernels, random, tokens, experts, layout);
    INDArray mask = Sample.vector(kernels, random, experts);
    ExpertChoice choice = kernels.choice(tokens * topK);
    INDArray statistics = doubles(kernels, 2 * experts);
    kernels.route(
        logits.array(), mask, topK, false, choice, p.array(), weights.array(), statistics);
    int[] chose = choice.toArray();
    double[][] expectedP = new double[tokens][];
    double[][] expectedWeights = new double[tokens][];
    double[] counts = new double[experts];
    double[] sums = new double[experts];
    for (int t = 0; t < tokens; t++) {
      expectedP[t] = softmax(logits.values()[t], Sample.vectorOf(kernels, mask));
      int[] chosen = largest(expectedP[t], topK);
      expectedWeights[t] = weights(logits.values()[t], Sample.vectorOf(kernels, mask), chosen);
      for (int slot = 0; slot < topK; slot++) {
        assertThat(chose[t * topK + slot]).isEqualTo(chosen[slot]);
        counts[chosen[slot]]++;
      }
      for (int e = 0; e < experts; e++) {
        sums[e] += expectedP[t][e];
      }
    }
    p.isClose(expectedP, TOLERANCE);
    weights.isClose(expectedWeights, TOLERANCE);
    logits.isUnchanged();
    double[] measured = doubleValues(kernels, statistics);
    assertThat(measured).startsWith(counts);
    double[] measuredSums = Arrays.copyOfRange(measured, experts, 2 * experts);
    assertClose(new double[][] {measuredSums}, new double[][] {sums}, TOLERANCE);

    Sample dWeights = matrix(kernels, random, tokens, experts, layout);
    Sample dLogits = matrix(kernels, random, tokens, experts, layout);
    INDArray dP = Sample.vector(kernels, random, experts);
    for (INDArray balance : new INDArray[] {null, dP}) {
      kernels.routeBackward(
          dWeights.array(), balance, topK, choice, p.array(), weights.array(), dLogits.array());
      float[] balances = balance == null ? null : values(kernels, balance);
      double[][] expected = new double[tokens][];
      for (int t = 0; t < tokens; t++) {
        int[] chosen = largest(expectedP[t], topK);
        expected[t] = gradient(expectedP[t], chosen, dWeights.values()[t], balances);
      }
      dLogits.isClose(expected, 3 * TOLERANCE, 0.1);
    }
    dWeights.isUnchanged();
  }

  private static double[] gradient(double[] p, int[] chosen, double[] dWeights, float[] dP) {
    double sum = 0;
    double average = 0;
    for (int e : chosen) {
      sum += p[e];
      average += dWeights[e] * p[e];
    }
    double[] slopes = new double[p.length];
    for (int e : chosen) {
      slopes[e] = (dWeights[e] - average / sum) / sum;
    }
    double projection = 0;
    for (int e = 0; e < p.length; e++) {
      slopes[e] += dP == null ? 0 : dP[e];
      projection += slopes[e] * p[e];
    }
    for (int e = 0; e < p.length; e++) {
      slopes[e] = p[e] * (slopes[e] - projection);
    }
    return slopes;
  }

  @Test
  void theReferenceGradientIsThatOfFiniteDifferences() {
    double[] logits = {0.3, -0.2, 1.1, 0.7};
    double[] mask = {0.5, 0.5, 0.5, -0.3};
    double[] dWeights = {1, -2, 0.5, 3};
    float[] dP = {0.1f, 0.7f, -0.4f, 0.2f};
    int[] chosen = {2, 0};
    double[] gradient = gradient(softmax(logits, mask), chosen, dWeights, dP);
    for (int e = 0; e < 4; e++) {
      double[] losses = new double[2];
      for (int side = 0; side < 2; side++) {
        double[] moved = logits.clone();
        moved[e] += side == 0 ? 1e-5 : -1e-5;
        for (int i = 0; i < 4; i++) {
          losses[side] +=
              dWeights[i] * weights(moved, mask, chosen)[i] + dP[i] * softmax(moved, mask)[i];
        }
      }
      assertThat(gradient[e]).isCloseTo((losses[0] - losses[1]) / 2e-5, within(1e-8));
    }
  }

  @OnEveryKernels
  void equalsGoToTheLowestIndex(Kernels kernels) {
    INDArray logits =
        array(kernels, new float[][] {{1, 1, 1, 1, 1}, {0, 2, 0, 2, 2}, {5, 0, 0, 0, 5}});
    ExpertChoice choice = kernels.choice(9);
    INDArray p = zeros(kernels, 3, 5);
    INDArray weights = zeros(kernels, 3, 5);
    kernels.route(logits, null, 3, false, choice, p, weights, doubles(kernels, 10));
    assertThat(choice.toArray()).containsExactly(0, 1, 2, 1, 3, 4, 0, 4, 1);
    assertThat(rows(kernels, weights)[0][0]).isCloseTo(1f / 3, within(1e-7f));
    assertThat(rows(kernels, weights)[0][4]).isZero();
  }

  @OnEveryKernels
  void maskedExpertsGetNothingEvenIfTooFewAreLeft(Kernels kernels) {
    INDArray logits = array(kernels, new float[][] {{1, 2, 3, 4}, {4, 3, 2, 1}});
    INDArray mask = array(kernels, -1e4f, 0.5f, -1e4f, -1e4f);
    ExpertChoice choice = kernels.choice(4);
    INDArray p = zeros(kernels, 2, 4);
    INDArray weights = zeros(kernels, 2, 4);
    INDArray statistics = doubles(kernels, 8);
    kernels.route(logits, mask, 2, false, choice, p, weights, statistics);
    assertThat(choice.toArray()).containsExactly(1, 0, 1, 0);
    assertThat(rows(kernels, p)).isDeepEqualTo(new float[][] {{0, 1, 0, 0}, {0, 1, 0, 0}});
    assertThat(rows(kernels, weights)).isDeepEqualTo(new float[][] {{0, 1, 0, 0}, {0, 1, 0, 0}});
    assertThat(doubleValues(kernels, statistics)).startsWith(2, 2, 0, 0);
    INDArray dLogits = zeros(kernels, 2, 4);
    INDArray dWeights = array(kernels, new float[][] {{1, 2, 3, 4}, {-1, 7, 3, 4}});
    kernels.routeBackward(dWeights, null, 2, choice, p, weights, dLogits);
    assertThat(rows(kernels, dLogits)).isDeepEqualTo(new float[2][4]);
  }

  @OnEveryKernels
  void replayKeepsTheChoice(Kernels kernels) {
    Sample logits = matrix(kernels, random, 40, 6, Layout.VIEW);
    INDArray first = zeros(kernels, 40, 6);
    INDArray p = zeros(kernels, 40, 6);
    ExpertChoice choice = kernels.choice(80);
    INDArray statistics = doubles(kernels, 12);
    kernels.route(logits.array(), null, 2, false, choice, p, first, statistics);
    int[] chose = choice.toArray();
    INDArray again = zeros(kernels, 40, 6);
    kernels.route(logits.array(), null, 2, true, choice, p, again, statistics);
    assertThat(values(kernels, again)).isEqualTo(values(kernels, first));

    Sample moved = matrix(kernels, random, 40, 6, Layout.VIEW);
    kernels.route(moved.array(), null, 2, true, choice, p, again, statistics);
    assertThat(choice.toArray()).isEqualTo(chose);
    double[][] expected = new double[40][];
    double[] counts = new double[6];
    for (int t = 0; t < 40; t++) {
      int[] chosen = {chose[2 * t], chose[2 * t + 1]};
      counts[chosen[0]]++;
      counts[chosen[1]]++;
      expected[t] = weights(moved.values()[t], new double[6], chosen);
    }
    assertClose(Sample.matrixOf(kernels, again), expected, TOLERANCE);
    assertThat(doubleValues(kernels, statistics)).startsWith(counts);
  }

  @OnEveryKernels
  void topOneHasNoGradient(Kernels kernels) {
    Sample logits = matrix(kernels, random, 30, 5, Layout.CONTIGUOUS);
    INDArray p = zeros(kernels, 30, 5);
    INDArray weights = zeros(kernels, 30, 5);
    INDArray dLogits = zeros(kernels, 30, 5);
    ExpertChoice choice = kernels.choice(30);
    kernels.route(logits.array(), null, 1, false, choice, p, weights, doubles(kernels, 10));
    for (float weight : values(kernels, weights)) {
      assertThat(weight).isIn(0f, 1f);
    }
    Sample dWeights = matrix(kernels, random, 30, 5, Layout.CONTIGUOUS);
    kernels.routeBackward(dWeights.array(), null, 1, choice, p, weights, dLogits);
    for (float slope : values(kernels, dLogits)) {
      assertThat(slope).isZero();
    }
  }

  @OnEveryKernels
  void notANumberIsNotRoutedAway(Kernels kernels) {
    INDArray logits = array(kernels, new float[][] {{1, Float.NaN, 3}, {1, 2, 3}});
    INDArray p = zeros(kernels, 2, 3);
    INDArray weights = zeros(kernels, 2, 3);
    ExpertChoice choice = kernels.choice(4);
    INDArray statistics = doubles(kernels, 6);
    kernels.route(logits, null, 2, false, choice, p, weights, statistics);
    assertThat(choice.toArray()).containsExactly(0, 1, 2, 1);
    assertThat(values(kernels, weights)[0]).isNaN();
    assertThat(doubleValues(kernels, statistics)[3]).isNaN();
  }

  @OnEveryKernels
  void entropyOfAllTokensTogether(Kernels kernels) {
    float[][] p = {{0.5f, 0.5f, 0}, {1, 0, 0}, {0.25f, 0.25f, 0.5f}};
    INDArray wide = array(kernels, new float[][] {{9, 0.5f, 0.5f}, {9, 0, 1}});
    INDArray sum = doubles(kernels, 1);
    kernels.entropy(array(kernels, p), sum);
    assertThat(doubleValues(kernels, sum)[0]).isCloseTo(2.5 * Math.log(2), within(1e-6));
    kernels.entropy(ArrayViews.columns(wide, 1, 2), sum);
    assertThat(doubleValues(kernels, sum)[0]).isCloseTo(Math.log(2), within(1e-6));
  }

  @OnEveryKernels
  void scalesTheColumnsOfEachExpert(Kernels kernels) {
    int[][] columns = {
      {0, 5}, {0, 8, 16, 24, 32}, {0, 3, 3, 20, 33}, {0, 0, 7, 64}, {0, 64, 72, 96}
    };
    for (int tokens : new int[] {1, 3, 17, 130}) {
      for (int[] firstColumn : columns) {
        for (Layout layout : Layout.values()) {
          scales(kernels, tokens, firstColumn, layout);
        }
      }
    }
  }

  private void scales(Kernels kernels, int tokens, int[] firstColumn, Layout layout) {
    int experts = firstColumn.length - 1;
    int rank = firstColumn[experts];
    Sample h = matrix(kernels, random, tokens, rank, layout);
    Sample weights = matrix(kernels, random, tokens, experts, layout);
    INDArray coefficients = Sample.vector(kernels, random, rank);
    Sample dz = matrix(kernels, random, tokens, rank, layout);
    float[] coefficient = values(kernels, coefficients);
    double[][] z = new double[tokens][rank];
    double[][] dh = new double[tokens][rank];
    double[][] dWeights = new double[tokens][experts];
    double[] dCoefficients = new double[rank];
    for (int t = 0; t < tokens; t++) {
      for (int e = 0; e < experts; e++) {
        for (int c = firstColumn[e]; c < firstColumn[e + 1]; c++) {
          double factor = weights.values()[t][e] * coefficient[c];
          z[t][c] = h.values()[t][c] * factor;
          dh[t][c] = dz.values()[t][c] * factor;
          double product = dz.values()[t][c] * h.values()[t][c];
          dWeights[t][e] += product * coefficient[c];
          dCoefficients[c] += product * weights.values()[t][e];
        }
      }
    }
    Sample result = matrix(kernels, random, tokens, rank, layout);
    kernels.scaleExperts(h.array(), weights.array(), coefficients, firstColumn, result.array());
    result.isClose(z, TOLERANCE);

    Sample dw = matrix(kernels, random, tokens, experts, layout);
    INDArray dc = Sample.vector(kernels, random, rank);
    INDArray secondDz = copy(kernels, dz.array());
    kernels.scaleExpertsBackward(
        dz.array(), h.array(), false, weights.array(), coefficients, firstColumn, dw.array(), dc);
    dz.isClose(dh, TOLERANCE);
    h.isUnchanged();
    weights.isUnchanged();
    dw.isClose(dWeights, TOLERANCE);
    assertClose(kernels, dc, dCoefficients, TOLERANCE);
    kernels.scaleExpertsBackward(
        secondDz, h.array(), true, weights.array(), coefficients, firstColumn, dw.array(), null);
    assertClose(Sample.matrixOf(kernels, secondDz), dh, TOLERANCE);
    h.isClose(z, TOLERANCE);
    dw.isClose(dWeights, TOLERANCE);
  }
}
