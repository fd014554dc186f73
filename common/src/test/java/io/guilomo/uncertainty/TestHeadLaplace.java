package io.guilomo.uncertainty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.LUDecomposition;
import org.apache.commons.math3.linear.MatrixUtils;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.RealVector;
import org.junit.jupiter.api.Test;

/** The approximation against dense matrices and closed forms. */
class TestHeadLaplace {

  private static final int FEATURES = 4;
  private static final int RECORDS = 30;
  private final Random random = new Random(3);

  /** Ridge regression is its own Laplace approximation, and its evidence a normal density. */
  @Test
  void ofAGaussianModelItIsThePosterior() {
    double variance = 0.3;
    double[][] z = inputs(RECORDS);
    double[] y = new double[RECORDS];
    for (int n = 0; n < RECORDS; n++) {
      y[n] = z[n][0] - 0.5 * z[n][1] + Math.sqrt(variance) * random.nextGaussian();
    }
    double best = Double.NEGATIVE_INFINITY;
    double bestPrecision = 0;
    for (double precision = 0.05; precision < 40; precision *= 1.01) {
      double density = logNormalDensity(z, y, precision, variance);
      if (density > best) {
        best = density;
        bestPrecision = precision;
      }
    }
    // The weights with the highest posterior depend on the precision: at its optimum all agree.
    RealMatrix all = new Array2DRowRealMatrix(z);
    RealMatrix hessian =
        all.transpose()
            .multiply(all)
            .scalarMultiply(1 / variance)
            .add(MatrixUtils.createRealIdentityMatrix(FEATURES).scalarMultiply(bestPrecision));
    RealMatrix covariance = MatrixUtils.inverse(hessian);
    RealVector weights =
        covariance.operate(
            all.transpose().operate(new ArrayRealVector(y)).mapMultiply(1 / variance));
    HeadCurvature curvature = new HeadCurvature(FEATURES, false, 1);
    for (int n = 0; n < RECORDS; n++) {
      double residual = y[n] - weights.dotProduct(new ArrayRealVector(z[n]));
      double logLikelihood =
          -residual * residual / 2 / variance - Math.log(2 * Math.PI * variance) / 2;
      curvature.add(floats(z[n]), new double[][] {{1 / variance}}, logLikelihood);
    }
    HeadLaplace laplace =
        HeadLaplace.fit(curvature, weights.dotProduct(weights), /* rank= */ FEATURES);
    assertThat(laplace.logEvidence()).isCloseTo(best, within(1e-3));
    assertThat(laplace.priorPrecision() / bestPrecision).isBetween(0.98, 1.02);
    double[] far = {3, -1, 2, 0.5};
    double expected = new ArrayRealVector(far).dotProduct(covariance.operate(vector(far)));
    LogitDistribution logits = laplace.logits(new double[1], floats(far));
    assertThat(logits.covariance(0, 0) / expected).isBetween(0.99, 1.01);
  }

  /** {@code y ~ N(0, σ² + z zᵀ / δ)}. */
  private static double logNormalDensity(
      double[][] z, double[] y, double precision, double variance) {
    RealMatrix all = new Array2DRowRealMatrix(z);
    RealMatrix covariance =
        all.multiply(all.transpose())
            .scalarMultiply(1 / precision)
            .add(MatrixUtils.createRealIdentityMatrix(y.length).scalarMultiply(variance));
    LUDecomposition decomposed = new LUDecomposition(covariance);
    RealVector target = new ArrayRealVector(y);
    return -target.dotProduct(decomposed.getSolver().solve(target)) / 2
        - Math.log(decomposed.getDeterminant()) / 2
        - y.length * Math.log(2 * Math.PI) / 2;
  }

  @Test
  void ofOneRecordItIsTheDenseApproximation() {
    double[] z = inputs(1)[0];
    double[] probabilities = {0.2, 0.5, 0.3};
    HeadCurvature curvature = new HeadCurvature(FEATURES, true, 3);
    curvature.add(floats(z), probabilities, 1);
    RealMatrix by = jacobian(floats(z));
    RealMatrix ofOutputs = new Array2DRowRealMatrix(new double[3][3]);
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++) {
        ofOutputs.setEntry(
            i, j, (i == j ? probabilities[i] : 0) - probabilities[i] * probabilities[j]);
      }
    }
    RealMatrix expected = by.transpose().multiply(ofOutputs).multiply(by);
    assertThat(dense(curvature).subtract(expected).getNorm()).isLessThan(1e-12);
    HeadLaplace laplace = HeadLaplace.fit(curvature, 2.5, FEATURES + 1);
    assertThat(laplace.logEvidence())
        .isCloseTo(evidence(expected, curvature, 2.5, laplace.priorPrecision()), within(1e-8));
  }

  @Test
  void itsPrecisionMakesTheRecordsMostLikely() {
    HeadCurvature curvature = softmaxHead(RECORDS);
    HeadLaplace laplace = HeadLaplace.fit(curvature, 2.5, FEATURES + 1);
    RealMatrix dense = dense(curvature);
    double best = laplace.priorPrecision();
    double evidence = evidence(dense, curvature, 2.5, best);
    assertThat(laplace.logEvidence()).isCloseTo(evidence, within(1e-8));
    for (double factor : new double[] {0.1, 0.9, 0.99, 1.01, 1.1, 10}) {
      assertThat(evidence(dense, curvature, 2.5, factor * best)).isLessThan(evidence);
    }
  }

  @Test
  void logitsVaryAsTheDenseCovarianceSays() {
    HeadCurvature curvature = softmaxHead(RECORDS);
    HeadLaplace laplace = HeadLaplace.fit(curvature, 2.5, FEATURES + 1);
    RealMatrix posterior =
        MatrixUtils.inverse(plusPrecision(dense(curvature), laplace.priorPrecision()));
    float[] z = floats(inputs(1)[0]);
    RealMatrix by = jacobian(z);
    RealMatrix expected = by.multiply(posterior).multiply(by.transpose());
    LogitDistribution logits = laplace.logits(new double[3], z);
    for (int one = 0; one < 3; one++) {
      for (int other = 0; other < 3; other++) {
        assertThat(logits.covariance(one, other))
            .isCloseTo(expected.getEntry(one, other), within(1e-9));
      }
    }
  }

  /** The records' logits vary as much, on average along every axis, however few are kept. */
  @Test
  void ofLowRankTheRecordsHaveTheMeanVarianceOfFullRank() {
    HeadCurvature uneven = new HeadCurvature(6, false, 2);
    List<float[]> records = new ArrayList<>();
    double[] logits = {0.4, -0.2};
    for (int n = 0; n < 600; n++) {
      double[] z = new double[6];
      Arrays.setAll(z, d -> random.nextGaussian() * Math.pow(0.2, d));
      records.add(floats(z));
      uneven.add(floats(z), Probabilities.softmax(logits), 0);
    }
    HeadLaplace full = HeadLaplace.fit(uneven, 1, 6);
    assertThat(full.restVariances()).containsOnly(0);
    for (int rank : new int[] {1, 3, 5}) {
      HeadLaplace low = HeadLaplace.fit(uneven, 1, rank);
      assertThat(low.inputVectors()).hasDimensions(rank, 6);
      assertThat(low.logEvidence()).isEqualTo(full.logEvidence());
      double exact = 0;
      double kept = 0;
      for (float[] z : records) {
        exact += full.logits(logits, z).covariance(0, 0);
        kept += low.logits(logits, z).covariance(0, 0);
      }
      assertThat(kept / exact).isCloseTo(1, within(1e-9));
    }
  }

  /**
   * Two moons in the plane, as features of their distances to a grid: far away nothing is known.
   */
  @Test
  void uncertaintyGrowsAwayFromTheData() {
    HeadCurvature curvature = new HeadCurvature(2, true, 2);
    double[] weights = {0.6, -1.9, 0.2};
    for (int n = 0; n < 200; n++) {
      int label = n % 2;
      double angle = Math.PI * random.nextDouble();
      double across = label == 0 ? Math.cos(angle) : 1 - Math.cos(angle);
      double up = label == 0 ? Math.sin(angle) : 0.5 - Math.sin(angle);
      curvature.add(
          new float[] {(float) across, (float) up}, twoClasses(weights, across, up), label);
    }
    HeadLaplace laplace = HeadLaplace.fit(curvature, 8.3, 3);
    double[] distances = {0.5, 2, 5, 20};
    double[] variances = Arrays.stream(distances).map(far -> between(laplace, far, -far)).toArray();
    assertThat(variances).isSorted();
    assertThat(variances[3]).isGreaterThan(20 * variances[0]);
    double[] logits = {logit(weights, 20, -20), -logit(weights, 20, -20)};
    double[] uncertain = laplace.logits(logits, new float[] {20, -20}).probit();
    // As far away, the trained weights alone have no uncertainty.
    assertThat(Math.log(uncertain[0] / uncertain[1])).isPositive().isLessThan(2 * logits[0] / 4);
  }

  private static double logit(double[] weights, double across, double up) {
    return weights[0] * across + weights[1] * up + weights[2];
  }

  private static double[] twoClasses(double[] weights, double across, double up) {
    double logit = logit(weights, across, up);
    return Probabilities.softmax(new double[] {logit, -logit});
  }

  /** The variance of the difference of the two logits. */
  private static double between(HeadLaplace laplace, double across, double up) {
    LogitDistribution logits =
        laplace.logits(new double[2], new float[] {(float) across, (float) up});
    return logits.covariance(0, 0) + logits.covariance(1, 1) - 2 * logits.covariance(0, 1);
  }

  @Test
  void partsOfTheRecordsAddUp() {
    HeadCurvature one = softmaxHead(5);
    HeadCurvature other = softmaxHead(7);
    double[][] before = one.inputFactor();
    HeadCurvature sum = one.plus(other);
    assertThat(sum.records()).isEqualTo(12);
    assertThat(sum.inputFactor()[1][2])
        .isCloseTo(before[1][2] + other.inputFactor()[1][2], within(1e-12));
  }

  @Test
  void noRecordsAreRefused() {
    assertThatThrownBy(() -> HeadLaplace.fit(new HeadCurvature(2, true, 2), 1, 1))
        .hasMessage("Cannot approximate the posterior of a head from no records");
  }

  private HeadCurvature softmaxHead(int records) {
    HeadCurvature curvature = new HeadCurvature(FEATURES, true, 3);
    for (double[] z : inputs(records)) {
      double[] logits = {z[0] - z[1], 0.5 * z[2], z[3] + 0.2};
      curvature.add(floats(z), Probabilities.softmax(logits), random.nextInt(3));
    }
    return curvature;
  }

  /** {@code A ⊗ Λ}. */
  private static RealMatrix dense(HeadCurvature curvature) {
    double[][] a = curvature.inputFactor();
    double[][] l = curvature.outputFactor();
    double[][] product = new double[a.length * l.length][a.length * l.length];
    for (int i = 0; i < product.length; i++) {
      for (int j = 0; j < product.length; j++) {
        product[i][j] = a[i / l.length][j / l.length] * l[i % l.length][j % l.length];
      }
    }
    return new Array2DRowRealMatrix(product);
  }

  private static RealMatrix plusPrecision(RealMatrix dense, double precision) {
    return dense.add(
        MatrixUtils.createRealIdentityMatrix(dense.getRowDimension()).scalarMultiply(precision));
  }

  private static double evidence(
      RealMatrix dense, HeadCurvature curvature, double squaredNorm, double precision) {
    double determinant = new LUDecomposition(plusPrecision(dense, precision)).getDeterminant();
    return curvature.logLikelihood()
        - precision * squaredNorm / 2
        + dense.getRowDimension() * Math.log(precision) / 2
        - Math.log(determinant) / 2;
  }

  /** Of the logits by the weights, those of a feature together. */
  private static RealMatrix jacobian(float[] features) {
    double[] z = HeadCurvature.withBias(features, true);
    double[][] jacobian = new double[3][z.length * 3];
    for (int c = 0; c < 3; c++) {
      for (int d = 0; d < z.length; d++) {
        jacobian[c][d * 3 + c] = z[d];
      }
    }
    return new Array2DRowRealMatrix(jacobian);
  }

  private double[][] inputs(int records) {
    double[][] inputs = new double[records][FEATURES];
    for (double[] z : inputs) {
      Arrays.setAll(z, d -> (float) random.nextGaussian());
    }
    return inputs;
  }

  private static ArrayRealVector vector(double[] values) {
    return new ArrayRealVector(values);
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }
}
