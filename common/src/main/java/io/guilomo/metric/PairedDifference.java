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
    if (pairs < 2) {
      throw new IllegalArgumentException(
          String.format("Cannot give an interval from %d pair: at least 2 are needed", pairs));
    }
    // No random generator: only sampling from the distribution would need one.
    double t =
        new TDistribution(null, pairs - 1).inverseCumulativeProbability((1 + confidence) / 2);
    double half = t * deviation / Math.sqrt(pairs);
    return new Interval(mean - half, mean + half);
  }
}
