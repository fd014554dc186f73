package io.guilomo.kernel;

import static io.guilomo.kernel.Sample.assertClose;
import static io.guilomo.kernel.Sample.matrix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.kernel.Sample.Layout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

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

  @ParameterizedTest
  @EnumSource
  void routesToTheMostProbable(Implementation implementation) {
    for (int tokens : new int[] {1, 3, 17, 130}) {
      for (int experts : new int[] {3, 8, 16, 21}) {
        for (int topK = 1; topK <= 3; topK++) {
          for (Layout layout : Layout.values()) {
            routes(implementation.kernels(), tokens, experts, topK, layout);
          }
        }
      }
    }
  }

  private void routes(Kernels kernels, int tokens, int experts, int topK, Layout layout) {
    Sample logits = matrix(random, tokens, experts, layout, 2);
    Sample p = matrix(random, tokens, experts, layout);
    Sample weights = matrix(random, tokens, experts, layout);
    INDArray mask = Sample.vector(random, experts);
    int[] choice = new int[tokens * topK];
    RoutingStatistics statistics =
        kernels.route(logits.array(), mask, topK, false, choice, p.array(), weights.array());
    double[][] expectedP = new double[tokens][];
    double[][] expectedWeights = new double[tokens][];
    long[] counts = new long[experts];
    double[] sums = new double[experts];
    for (int t = 0; t < tokens; t++) {
      expectedP[t] = softmax(logits.values()[t], Sample.vectorOf(mask));
      int[] chosen = largest(expectedP[t], topK);
      expectedWeights[t] = weights(logits.values()[t], Sample.vectorOf(mask), chosen);
      for (int slot = 0; slot < topK; slot++) {
        assertThat(choice[t * topK + slot]).isEqualTo(chosen[slot]);
        counts[chosen[slot]]++;
      }
      for (int e = 0; e < experts; e++) {
        sums[e] += expectedP[t][e];
      }
    }
    p.isClose(expectedP, TOLERANCE);
    weights.isClose(expectedWeights, TOLERANCE);
    logits.isUnchanged();
    assertThat(statistics.counts()).isEqualTo(counts);
    assertClose(new double[][] {statistics.probabilitySums()}, new double[][] {sums}, TOLERANCE);

    Sample dWeights = matrix(random, tokens, experts, layout);
    Sample dLogits = matrix(random, tokens, experts, layout);
    float[] dP = Sample.vector(random, experts).toFloatVector();
    for (float[] balance : new float[][] {null, dP}) {
      kernels.routeBackward(
          dWeights.array(), balance, topK, choice, p.array(), weights.array(), dLogits.array());
      double[][] expected = new double[tokens][];
      for (int t = 0; t < tokens; t++) {
        int[] chosen = largest(expectedP[t], topK);
        expected[t] = gradient(expectedP[t], chosen, dWeights.values()[t], balance);
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

  @ParameterizedTest
  @EnumSource
  void equalsGoToTheLowestIndex(Implementation implementation) {
    INDArray logits =
        Nd4j.createFromArray(new float[][] {{1, 1, 1, 1, 1}, {0, 2, 0, 2, 2}, {5, 0, 0, 0, 5}});
    int[] choice = new int[9];
    INDArray p = Nd4j.create(3, 5);
    INDArray weights = Nd4j.create(3, 5);
    implementation.kernels().route(logits, null, 3, false, choice, p, weights);
    assertThat(choice).containsExactly(0, 1, 2, 1, 3, 4, 0, 4, 1);
    assertThat(weights.getFloat(0, 0)).isCloseTo(1f / 3, within(1e-7f));
    assertThat(weights.getFloat(0, 4)).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void maskedExpertsGetNothingEvenIfTooFewAreLeft(Implementation implementation) {
    INDArray logits = Nd4j.createFromArray(new float[][] {{1, 2, 3, 4}, {4, 3, 2, 1}});
    INDArray mask = Nd4j.createFromArray(-1e4f, 0.5f, -1e4f, -1e4f);
    int[] choice = new int[4];
    INDArray p = Nd4j.create(2, 4);
    INDArray weights = Nd4j.create(2, 4);
    RoutingStatistics statistics =
        implementation.kernels().route(logits, mask, 2, false, choice, p, weights);
    assertThat(choice).containsExactly(1, 0, 1, 0);
    assertThat(p.toFloatMatrix()).isDeepEqualTo(new float[][] {{0, 1, 0, 0}, {0, 1, 0, 0}});
    assertThat(weights.toFloatMatrix()).isDeepEqualTo(new float[][] {{0, 1, 0, 0}, {0, 1, 0, 0}});
    assertThat(statistics.counts()).containsExactly(2, 2, 0, 0);
    INDArray dLogits = Nd4j.create(2, 4);
    INDArray dWeights = Nd4j.createFromArray(new float[][] {{1, 2, 3, 4}, {-1, 7, 3, 4}});
    implementation.kernels().routeBackward(dWeights, null, 2, choice, p, weights, dLogits);
    assertThat(dLogits.toFloatMatrix()).isDeepEqualTo(new float[2][4]);
  }

  @ParameterizedTest
  @EnumSource
  void replayKeepsTheChoice(Implementation implementation) {
    Kernels kernels = implementation.kernels();
    Sample logits = matrix(random, 40, 6, Layout.VIEW);
    INDArray first = Nd4j.create(40, 6);
    INDArray p = Nd4j.create(40, 6);
    int[] choice = new int[80];
    kernels.route(logits.array(), null, 2, false, choice, p, first);
    int[] repeated = choice.clone();
    INDArray again = Nd4j.create(40, 6);
    kernels.route(logits.array(), null, 2, true, repeated, p, again);
    assertThat(again).isEqualTo(first);

    Sample moved = matrix(random, 40, 6, Layout.VIEW);
    RoutingStatistics statistics = kernels.route(moved.array(), null, 2, true, repeated, p, again);
    assertThat(repeated).isEqualTo(choice);
    double[][] expected = new double[40][];
    long[] counts = new long[6];
    for (int t = 0; t < 40; t++) {
      int[] chosen = {choice[2 * t], choice[2 * t + 1]};
      counts[chosen[0]]++;
      counts[chosen[1]]++;
      expected[t] = weights(moved.values()[t], new double[6], chosen);
    }
    assertClose(Sample.matrixOf(again), expected, TOLERANCE);
    assertThat(statistics.counts()).isEqualTo(counts);
  }

  @ParameterizedTest
  @EnumSource
  void topOneHasNoGradient(Implementation implementation) {
    Sample logits = matrix(random, 30, 5, Layout.CONTIGUOUS);
    INDArray p = Nd4j.create(30, 5);
    INDArray weights = Nd4j.create(30, 5);
    INDArray dLogits = Nd4j.create(30, 5);
    int[] choice = new int[30];
    implementation.kernels().route(logits.array(), null, 1, false, choice, p, weights);
    assertThat(weights.maxNumber().floatValue()).isEqualTo(1);
    Sample dWeights = matrix(random, 30, 5, Layout.CONTIGUOUS);
    implementation.kernels().routeBackward(dWeights.array(), null, 1, choice, p, weights, dLogits);
    assertThat(dLogits.amaxNumber().floatValue()).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void notANumberIsNotRoutedAway(Implementation implementation) {
    INDArray logits = Nd4j.createFromArray(new float[][] {{1, Float.NaN, 3}, {1, 2, 3}});
    INDArray p = Nd4j.create(2, 3);
    INDArray weights = Nd4j.create(2, 3);
    int[] choice = new int[4];
    RoutingStatistics statistics =
        implementation.kernels().route(logits, null, 2, false, choice, p, weights);
    assertThat(choice).containsExactly(0, 1, 2, 1);
    assertThat(weights.getFloat(0, 0)).isNaN();
    assertThat(statistics.probabilitySums()[0]).isNaN();
  }

  @ParameterizedTest
  @EnumSource
  void scalesTheColumnsOfEachExpert(Implementation implementation) {
    int[][] columns = {
      {0, 5}, {0, 8, 16, 24, 32}, {0, 3, 3, 20, 33}, {0, 0, 7, 64}, {0, 64, 72, 96}
    };
    for (int tokens : new int[] {1, 3, 17, 130}) {
      for (int[] firstColumn : columns) {
        for (Layout layout : Layout.values()) {
          scales(implementation.kernels(), tokens, firstColumn, layout);
        }
      }
    }
  }

  private void scales(Kernels kernels, int tokens, int[] firstColumn, Layout layout) {
    int experts = firstColumn.length - 1;
    int rank = firstColumn[experts];
    Sample h = matrix(random, tokens, rank, layout);
    Sample weights = matrix(random, tokens, experts, layout);
    INDArray coefficients = Sample.vector(random, rank);
    Sample dz = matrix(random, tokens, rank, layout);
    double[][] z = new double[tokens][rank];
    double[][] dh = new double[tokens][rank];
    double[][] dWeights = new double[tokens][experts];
    double[] dCoefficients = new double[rank];
    for (int t = 0; t < tokens; t++) {
      for (int e = 0; e < experts; e++) {
        for (int c = firstColumn[e]; c < firstColumn[e + 1]; c++) {
          double factor = weights.values()[t][e] * coefficients.getFloat(c);
          z[t][c] = h.values()[t][c] * factor;
          dh[t][c] = dz.values()[t][c] * factor;
          double product = dz.values()[t][c] * h.values()[t][c];
          dWeights[t][e] += product * coefficients.getFloat(c);
          dCoefficients[c] += product * weights.values()[t][e];
        }
      }
    }
    Sample result = matrix(random, tokens, rank, layout);
    kernels.scaleExperts(h.array(), weights.array(), coefficients, firstColumn, result.array());
    result.isClose(z, TOLERANCE);

    Sample dw = matrix(random, tokens, experts, layout);
    INDArray dc = Sample.vector(random, rank);
    INDArray secondDz = dz.array().dup('c');
    kernels.scaleExpertsBackward(
        dz.array(), h.array(), false, weights.array(), coefficients, firstColumn, dw.array(), dc);
    dz.isClose(dh, TOLERANCE);
    h.isUnchanged();
    weights.isUnchanged();
    dw.isClose(dWeights, TOLERANCE);
    assertClose(dc, dCoefficients, TOLERANCE);
    kernels.scaleExpertsBackward(
        secondDz, h.array(), true, weights.array(), coefficients, firstColumn, dw.array(), null);
    assertClose(Sample.matrixOf(secondDz), dh, TOLERANCE);
    h.isClose(z, TOLERANCE);
    dw.isClose(dWeights, TOLERANCE);
  }
}
