package io.guilomo.uncertainty;

import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.Arrays;
import org.apache.commons.math3.analysis.UnivariateFunction;
import org.apache.commons.math3.analysis.solvers.BrentSolver;

/**
 * A Laplace approximation of the posterior of a classifier's head, {@code f = W z}: a normal
 * distribution around the trained weights, whose precision is {@code A ⊗ Λ + δ} (arXiv 2106.14806).
 * With {@code A = Σ a_i u_i u_iᵀ} and {@code Λ = Σ l_j v_j v_jᵀ} the logits of an input {@code z}
 * vary along each {@code v_j} with variance {@code Σ_i (u_iᵀ z)² / (a_i l_j + δ)}. Of the {@code
 * u_i} only the leading ones are kept. Along the others together the logits vary with the mean that
 * all of them give the records: {@code Σ_i a_i / (a_i l_j + δ) / Σ_i a_i} for each {@code j}.
 *
 * @param biased whether {@code z} ends with a 1 for the bias
 * @param inputValues the leading {@code a_i}, descending, {@code [rank]}
 * @param inputVectors the leading {@code u_i}, {@code [rank][features]}, at least one
 * @param outputValues all {@code l_j}, {@code [classes]}
 * @param outputVectors all {@code v_j}, {@code [classes][classes]}
 * @param restVariances of the logits along each {@code v_j} by a unit of {@code ‖z‖²} outside the
 *     {@code u_i}, {@code [classes]}; 0 if nothing is outside
 * @param priorPrecision {@code δ}
 * @param logEvidence logarithm of the marginal likelihood of the records
 */
public record HeadLaplace(
    boolean biased,
    double[] inputValues,
    double[][] inputVectors,
    double[] outputValues,
    double[][] outputVectors,
    double[] restVariances,
    double priorPrecision,
    double logEvidence)
    implements Serializable {

  /** Search range of {@code ln δ}; a maximum outside it is clipped to the nearer end. */
  private static final double LEAST = Math.log(1e-9);

  private static final double MOST = Math.log(1e9);

  /**
   * The approximation with the prior precision that makes the records most likely.
   *
   * @param curvature at the trained weights
   * @param squaredNorm {@code ‖W‖²} of the trained weights, bias included
   * @param rank most eigenvectors of {@code A} to keep, at least 1
   */
  public static HeadLaplace fit(HeadCurvature curvature, double squaredNorm, int rank) {
    if (curvature.records() == 0) {
      throw new UserException("Cannot approximate the posterior of a head from no records");
    }
    Eigen inputs = Eigen.of(curvature.inputFactor(), rank);
    Eigen outputs = Eigen.of(curvature.outputFactor(), curvature.classes());
    Spectrum spectrum = new Spectrum(inputs.values(), outputs.values(), squaredNorm);
    double precision = spectrum.bestPrecision();
    int kept = inputs.vectors().length;
    return new HeadLaplace(
        curvature.biased(),
        Arrays.copyOf(inputs.values(), kept),
        inputs.vectors(),
        outputs.values(),
        outputs.vectors(),
        spectrum.restVariances(kept, precision),
        precision,
        curvature.logLikelihood() + spectrum.logOccam(precision));
  }

  /** Features of the head's input, the bias's included. */
  public int features() {
    return inputVectors[0].length;
  }

  public int classes() {
    return outputValues.length;
  }

  /**
   * The distribution of the logits of an input.
   *
   * @param logits with the trained weights
   * @param features {@code z}, without the bias's
   */
  public LogitDistribution logits(double[] logits, float[] features) {
    double[] z = HeadCurvature.withBias(features, biased);
    double[] projected = new double[inputVectors.length];
    double rest = squared(z);
    for (int i = 0; i < projected.length; i++) {
      double along = 0;
      for (int d = 0; d < z.length; d++) {
        along += inputVectors[i][d] * z[d];
      }
      projected[i] = along * along;
      rest -= projected[i];
    }
    double[] variances = new double[outputValues.length];
    for (int j = 0; j < variances.length; j++) {
      variances[j] = Math.max(0, rest) * restVariances[j];
      for (int i = 0; i < projected.length; i++) {
        variances[j] += projected[i] / (inputValues[i] * outputValues[j] + priorPrecision);
      }
    }
    return new LogitDistribution(logits, outputVectors, variances);
  }

  private static double squared(double[] z) {
    double sum = 0;
    for (double value : z) {
      sum += value * value;
    }
    return sum;
  }

  /** The eigenvalues of both factors, whose products are those of their Kronecker product. */
  private record Spectrum(double[] inputs, double[] outputs, double squaredNorm) {

    /**
     * {@code δ} where the derivative of the evidence by {@code ln δ} is 0, {@code δ ‖W‖² = Σ a_i
     * l_j / (a_i l_j + δ)} (MacKay, Neural Computation 4, 1992); it falls everywhere.
     */
    double bestPrecision() {
      UnivariateFunction slope = at -> effective(Math.exp(at)) - Math.exp(at) * squaredNorm;
      if (slope.value(LEAST) <= 0) {
        return Math.exp(LEAST);
      }
      if (slope.value(MOST) >= 0) {
        return Math.exp(MOST);
      }
      return Math.exp(new BrentSolver(1e-10).solve(1000, slope, LEAST, MOST));
    }

    /** How many weights the records determine. */
    private double effective(double precision) {
      double sum = 0;
      for (double input : inputs) {
        for (double output : outputs) {
          sum += input * output / (input * output + precision);
        }
      }
      return sum;
    }

    /** What the input eigenvalues after the first {@code kept} leave, for each output's. */
    double[] restVariances(int kept, double precision) {
      double[] rest = Arrays.copyOfRange(inputs, kept, inputs.length);
      double trace = Arrays.stream(rest).sum();
      double[] variances = new double[outputs.length];
      for (int j = 0; j < outputs.length; j++) {
        for (double input : rest) {
          double share = trace > 0 ? input / trace : 1.0 / rest.length;
          variances[j] += share / (input * outputs[j] + precision);
        }
      }
      return variances;
    }

    /** What prior and determinant add to the logarithm of the evidence, beside the likelihood. */
    double logOccam(double precision) {
      double sum = -precision * squaredNorm;
      for (double input : inputs) {
        for (double output : outputs) {
          sum -= Math.log1p(input * output / precision);
        }
      }
      return sum / 2;
    }
  }
}
