package io.guilomo.spark.compare;

import io.guilomo.metric.PairedDifference;

/**
 * By how much the validation losses of a strategy's plans are above the full allocation's, as a
 * share of these, seed by seed. All models are validated on the same records, so that what varies
 * is the training, and the search with it.
 */
record GapToFull(PairedDifference difference) {

  /**
   * @param losses one for each seed
   * @param full of the full allocation, with the same seeds
   */
  static GapToFull of(double[] losses, double[] full) {
    double[] gaps = new double[losses.length];
    for (int i = 0; i < gaps.length; i++) {
      gaps[i] = (losses[i] - full[i]) / full[i];
    }
    return new GapToFull(PairedDifference.of(gaps, new double[gaps.length]));
  }

  double mean() {
    return difference.mean();
  }

  /** Confidence that it is below a margin, one-sided; null for a single seed. */
  Double below(double margin) {
    return difference.pairs() < 2 ? null : difference.confidenceBelow(margin);
  }
}
