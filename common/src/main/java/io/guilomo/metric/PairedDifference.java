package io.guilomo.metric;

import java.io.Serializable;
import org.apache.commons.math3.distribution.TDistribution;

/**
 * The difference between two methods over paired runs, such as one run of each per seed.
 *
 * @param mean of the differences
 * @param deviation of the differences, with {@code n − 1}; {@code NaN} for one pair
 */
public record PairedDifference(int pairs, double mean, double deviation) implements Serializable {

  /** What differences of equal differences may be, relative to them. */
  private static final double ROUNDING = 1e-9;

  /** The differences {@code values − others}, pair by pair. */
  public static PairedDifference of(double[] values, double[] others) {
    if (values.length == 0 || values.length != others.length) {
      throw new IllegalArgumentException(
          String.format("Cannot pair %d runs with %d", values.length, others.length));
    }
    int n = values.length;
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += values[i] - others[i];
    }
    double mean = sum / n;
    double squares = 0;
    for (int i = 0; i < n; i++) {
      squares += Math.pow(values[i] - others[i] - mean, 2);
    }
    return new PairedDifference(n, mean, n == 1 ? Double.NaN : Math.sqrt(squares / (n - 1)));
  }

  /**
   * Student's interval, {@code mean ± t_{n−1} · deviation / √n}.
   *
   * @throws IllegalArgumentException for a single pair, which says nothing about the variance
   */
  public Interval interval(double confidence) {
    Interval.checkConfidence(confidence);
    requirePairs();
    double t = student().inverseCumulativeProbability((1 + confidence) / 2);
    double half = t * deviation / Math.sqrt(pairs);
    return new Interval(mean - half, mean + half);
  }

  /**
   * Two-sided p-value of Student's paired test: how likely a mean this far from 0 is where the two
   * methods do not differ. Differences that are all equal, as those of accuracies over few records
   * may be, say nothing about the variance; then it is that of the sign test, {@code 2^(1−n)}.
   *
   * @throws IllegalArgumentException for a single pair
   */
  public double probability() {
    requirePairs();
    if (mean != 0 && deviation <= ROUNDING * Math.abs(mean)) {
      return Math.scalb(1.0, 1 - pairs);
    }
    return 2 * Math.min(confidenceBelow(0), 1 - confidenceBelow(0));
  }

  /**
   * The confidence of the one-sided Student's interval that ends at {@code bound}: how sure it is
   * that the true mean lies below.
   *
   * @throws IllegalArgumentException for a single pair
   */
  public double confidenceBelow(double bound) {
    requirePairs();
    double distance = bound - mean;
    if (deviation == 0) {
      return distance == 0 ? 0.5 : distance > 0 ? 1 : 0;
    }
    return student().cumulativeProbability(distance * Math.sqrt(pairs) / deviation);
  }

  private void requirePairs() {
    if (pairs < 2) {
      throw new IllegalArgumentException(
          String.format("Cannot give an interval from %d pair: at least 2 are needed", pairs));
    }
  }

  /** No random generator: only sampling from the distribution would need one. */
  private TDistribution student() {
    return new TDistribution(null, pairs - 1);
  }
}
