package io.guilomo.uncertainty;

import java.io.Serializable;

/**
 * What the records of a training say of the curvature of their loss by the weights {@code W} of a
 * linear head {@code f = W z}: the Kronecker factors of the generalised Gauss-Newton matrix {@code
 * Σ z zᵀ ⊗ Λ} (arXiv 2106.14806), where {@code Λ} is the curvature of a record's loss by its
 * outputs. Records are added one by one, and sums of parts of them to one another.
 */
public final class HeadCurvature implements Serializable {

  private static final long serialVersionUID = 1;

  private final boolean biased;

  /** {@code Σ z zᵀ}, row {@code i} from column {@code i}. */
  private final double[][] inputs;

  /** {@code Σ Λ}. */
  private final double[][] outputs;

  private long records;
  private double logLikelihood;

  /**
   * @param features of the head's input
   * @param biased whether the head adds a bias, as a weight of a feature that is always 1
   */
  public HeadCurvature(int features, boolean biased, int classes) {
    this.biased = biased;
    int all = features + (biased ? 1 : 0);
    this.inputs = new double[all][];
    for (int i = 0; i < all; i++) {
      inputs[i] = new double[all - i];
    }
    this.outputs = new double[classes][classes];
  }

  /**
   * Adds a record of a classification, whose {@code Λ} is {@code diag(p) − p pᵀ}.
   *
   * @param features {@code z}, without the bias's
   * @param probabilities {@code p} of the classes
   * @param label its class
   */
  public void add(float[] features, double[] probabilities, int label) {
    double[][] curvature = new double[probabilities.length][probabilities.length];
    for (int i = 0; i < probabilities.length; i++) {
      for (int j = 0; j < probabilities.length; j++) {
        curvature[i][j] = (i == j ? probabilities[i] : 0) - probabilities[i] * probabilities[j];
      }
    }
    add(features, curvature, Math.log(probabilities[label]));
  }

  /**
   * Adds a record of any likelihood.
   *
   * @param curvature {@code Λ}, minus the second derivatives of its log-likelihood by the outputs
   */
  void add(float[] features, double[][] curvature, double logLikelihoodOfIt) {
    double[] z = withBias(features, biased);
    for (int i = 0; i < z.length; i++) {
      for (int j = i; j < z.length; j++) {
        inputs[i][j - i] += z[i] * z[j];
      }
    }
    plus(outputs, curvature);
    records++;
    logLikelihood += logLikelihoodOfIt;
  }

  static double[] withBias(float[] features, boolean biased) {
    double[] z = new double[features.length + (biased ? 1 : 0)];
    for (int i = 0; i < features.length; i++) {
      z[i] = features[i];
    }
    if (biased) {
      z[features.length] = 1;
    }
    return z;
  }

  /** Adds what was summed over other records of the same head; returns itself. */
  public HeadCurvature plus(HeadCurvature other) {
    plus(inputs, other.inputs);
    plus(outputs, other.outputs);
    records += other.records;
    logLikelihood += other.logLikelihood;
    return this;
  }

  private static void plus(double[][] sum, double[][] other) {
    for (int i = 0; i < sum.length; i++) {
      for (int j = 0; j < sum[i].length; j++) {
        sum[i][j] += other[i][j];
      }
    }
  }

  boolean biased() {
    return biased;
  }

  /** Features of the input, the bias's included. */
  public int features() {
    return inputs.length;
  }

  int classes() {
    return outputs.length;
  }

  public long records() {
    return records;
  }

  /** Log-likelihood of the records, with the weights at which they were added. */
  double logLikelihood() {
    return logLikelihood;
  }

  /** {@code A = Σ z zᵀ}, {@code [features][features]}. */
  double[][] inputFactor() {
    double[][] full = new double[inputs.length][inputs.length];
    for (int i = 0; i < full.length; i++) {
      for (int j = i; j < full.length; j++) {
        full[i][j] = inputs[i][j - i];
        full[j][i] = inputs[i][j - i];
      }
    }
    return full;
  }

  /** The mean {@code Λ}, {@code [classes][classes]}. */
  double[][] outputFactor() {
    double[][] mean = new double[outputs.length][outputs.length];
    for (int i = 0; i < mean.length; i++) {
      for (int j = 0; j < mean.length; j++) {
        mean[i][j] = outputs[i][j] / records;
      }
    }
    return mean;
  }
}
