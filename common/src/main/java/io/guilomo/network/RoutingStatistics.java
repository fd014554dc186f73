package io.guilomo.network;

import io.guilomo.kernel.Kernels;
import java.util.Arrays;

/**
 * What the router of one module did with one batch.
 *
 * @param counts (token, slot) pairs that went to each expert, {@code [experts]}
 * @param probabilitySums {@code Σ_t p[t, e]}, {@code [experts]}
 */
record RoutingStatistics(long[] counts, double[] probabilitySums) {

  /**
   * As {@link Kernels#route} writes them.
   *
   * @param first where they begin among all that was measured
   */
  static RoutingStatistics of(double[] measured, int first, int experts) {
    long[] counts = new long[experts];
    for (int e = 0; e < experts; e++) {
      counts[e] = (long) measured[first + e];
    }
    return new RoutingStatistics(
        counts, Arrays.copyOfRange(measured, first + experts, first + 2 * experts));
  }

  /** Of both batches together. */
  RoutingStatistics plus(RoutingStatistics other) {
    long[] allCounts = counts.clone();
    double[] allSums = probabilitySums.clone();
    for (int e = 0; e < allCounts.length; e++) {
      allCounts[e] += other.counts[e];
      allSums[e] += other.probabilitySums[e];
    }
    return new RoutingStatistics(allCounts, allSums);
  }
}
