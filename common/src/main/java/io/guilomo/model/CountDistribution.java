package io.guilomo.model;

/**
 * A distribution over how many entries of a row are in use: {@code π = softmax(h)} over the counts
 * {@code least}, …, {@code length}, where {@code h_j} is the logit of the count {@code j + 1}.
 * Counts below {@code least} have no probability, whatever their logits are.
 */
public final class CountDistribution {

  private final int least;
  private final double[] logProbabilities;
  private final double[] logSurvival;

  /**
   * @param logits of several distributions, one after another
   * @param offset where this one's begin
   * @param length largest count, at least {@code least}
   * @param least smallest count that can be: 1 of ranks, {@link ModuleExperts#minExperts} of
   *     experts
   */
  public CountDistribution(float[] logits, int offset, int length, int least) {
    if (least < 1 || length < least) {
      throw new IllegalArgumentException(
          "Cannot choose among the counts from %d to %d".formatted(least, length));
    }
    this.least = least;
    this.logProbabilities = new double[length];
    this.logSurvival = new double[length];
    double sum = Double.NEGATIVE_INFINITY;
    for (int j = length - 1; j >= least - 1; j--) {
      sum = logOfSum(sum, logits[offset + j]);
      logSurvival[j] = sum;
    }
    for (int j = 0; j < length; j++) {
      boolean possible = j >= least - 1;
      logProbabilities[j] = possible ? logits[offset + j] - sum : Double.NEGATIVE_INFINITY;
      logSurvival[j] = j >= least ? logSurvival[j] - sum : 0;
    }
  }

  private static double logOfSum(double x, double y) {
    double largest = Math.max(x, y);
    return largest == Double.NEGATIVE_INFINITY
        ? largest
        : largest + Math.log1p(Math.exp(Math.min(x, y) - largest));
  }

  public int length() {
    return logSurvival.length;
  }

  /** {@code π_j}, the probability of the count {@code j + 1}. */
  public double probability(int j) {
    return Math.exp(logProbabilities[j]);
  }

  /** {@code S_j = Σ_{i ≥ j} π_i}, the probability that entry {@code j} is in use. */
  public double survival(int j) {
    return Math.exp(logSurvival[j]);
  }

  /** {@code ln S_j}, which does not underflow. */
  public double logSurvival(int j) {
    return logSurvival[j];
  }

  /** The largest count that is reached with probability 1/2 or more. */
  public int median() {
    int count = least;
    while (count < length() && survival(count) >= 0.5) {
      count++;
    }
    return count;
  }

  /**
   * The gradient by the logits: {@code ∂L/∂h_j = π_j (G_j − Σ_k π_k G_k)} with {@code G_j = Σ_{i ≤
   * j} ∂L/∂S_i}. The entries that are always in use have no part in it.
   *
   * @param dSurvival {@code ∂L/∂S_i}, this one's from {@code offset} on
   * @param result written from {@code offset} on
   */
  public void backward(float[] dSurvival, int offset, float[] result) {
    double mean = 0;
    for (int i = least; i < length(); i++) {
      mean += dSurvival[offset + i] * survival(i);
    }
    double sum = 0;
    for (int j = 0; j < length(); j++) {
      sum += j >= least ? dSurvival[offset + j] : 0;
      result[offset + j] = (float) (probability(j) * (sum - mean));
    }
  }

  /** The same for {@code ∂L/∂ln S_i}. */
  public void logBackward(float[] dLogSurvival, int offset, float[] result) {
    double mean = 0;
    for (int i = least; i < length(); i++) {
      mean += dLogSurvival[offset + i];
    }
    for (int j = 0; j < length(); j++) {
      double sum = 0;
      for (int i = least; i <= j; i++) {
        sum += dLogSurvival[offset + i] * Math.exp(logProbabilities[j] - logSurvival[i]);
      }
      result[offset + j] = (float) (sum - probability(j) * mean);
    }
  }
}
