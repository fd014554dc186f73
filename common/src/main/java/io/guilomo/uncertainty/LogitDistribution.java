package io.guilomo.uncertainty;

import io.guilomo.data.Seeds;
import java.util.Random;

/**
 * A normal distribution of the logits of one input.
 *
 * @param mean {@code [classes]}
 * @param axes along which they vary independently, {@code [classes][classes]}, one a row
 * @param variances along the axes, {@code [classes]}
 */
public record LogitDistribution(double[] mean, double[][] axes, double[] variances) {

  /** The logistic function is close to the normal distribution of this variance, MacKay's π / 8. */
  private static final double PROBIT = Math.PI / 8;

  /** The covariance of two logits. */
  double covariance(int one, int other) {
    double sum = 0;
    for (int j = 0; j < variances.length; j++) {
      sum += variances[j] * axes[j][one] * axes[j][other];
    }
    return sum;
  }

  /**
   * The mean probabilities, approximately: with the variance {@code s} of the difference of each
   * two logits, {@code p_k ∝ 1 / Σ_c exp((μ_c − μ_k) / √(1 + π s / 8))} (mf2 of arXiv 2006.07584).
   * For two classes this is MacKay's probit approximation. A shift common to all logits has no
   * effect.
   */
  public double[] probit() {
    double[] probabilities = new double[mean.length];
    double all = 0;
    for (int k = 0; k < mean.length; k++) {
      double sum = 0;
      for (int c = 0; c < mean.length; c++) {
        double between = 0;
        for (int j = 0; j < variances.length; j++) {
          double apart = axes[j][k] - axes[j][c];
          between += variances[j] * apart * apart;
        }
        sum += Math.exp((mean[c] - mean[k]) / Math.sqrt(1 + PROBIT * between));
      }
      probabilities[k] = 1 / sum;
      all += probabilities[k];
    }
    for (int k = 0; k < probabilities.length; k++) {
      probabilities[k] /= all;
    }
    return probabilities;
  }

  /**
   * The mean probabilities of samples.
   *
   * @param normals {@link #normals}, {@code [samples][classes]}
   */
  public double[] sampled(double[][] normals) {
    double[] mixed = new double[mean.length];
    for (double[] normal : normals) {
      double[] logits = mean.clone();
      for (int j = 0; j < variances.length; j++) {
        double length = Math.sqrt(variances[j]) * normal[j];
        for (int c = 0; c < logits.length; c++) {
          logits[c] += length * axes[j][c];
        }
      }
      double[] probabilities = Probabilities.softmax(logits);
      for (int c = 0; c < mixed.length; c++) {
        mixed[c] += probabilities[c] / normals.length;
      }
    }
    return mixed;
  }

  /** Standard normal values, which every input shares: a record has the same in every batch. */
  public static double[][] normals(int samples, int classes, long seed) {
    double[][] normals = new double[samples][classes];
    Random random = new Random(Seeds.mix(seed, samples));
    for (double[] sample : normals) {
      for (int c = 0; c < classes; c++) {
        sample[c] = random.nextGaussian();
      }
    }
    return normals;
  }
}
