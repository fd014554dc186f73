package io.guilomo.kernel;

/**
 * What the router of one module did with one batch.
 *
 * @param counts (token, slot) pairs that went to each expert, {@code [experts]}
 * @param probabilitySums {@code Σ_t p[t, e]}, {@code [experts]}
 */
public record RoutingStatistics(long[] counts, double[] probabilitySums) {}
