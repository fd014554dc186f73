package io.guilomo.kernel;

/**
 * What the router of one module did with one batch.
 *
 * @param counts (token, slot) pairs that went to each expert, {@code [experts]}
 * @param probabilitySums {@code Σ_t p[t, e]}, {@code [experts]}
 */
public record RoutingStatistics(long[] counts, double[] probabilitySums) {

  /** Of both batches together. */
  public RoutingStatistics plus(RoutingStatistics other) {
    long[] allCounts = counts.clone();
    double[] allSums = probabilitySums.clone();
    for (int e = 0; e < allCounts.length; e++) {
      allCounts[e] += other.counts[e];
      allSums[e] += other.probabilitySums[e];
    }
    return new RoutingStatistics(allCounts, allSums);
  }
}
