package io.guilomo.metric;

import java.util.ArrayList;
import java.util.List;

/**
 * How often answers of about the same confidence are right (arXiv 1706.04599, section 2).
 *
 * @param low confidence at which the bin begins; the first includes it
 * @param high at which it ends, which it includes
 * @param records in it
 * @param confidence mean over the records
 * @param accuracy share of right answers
 */
public record Reliability(
    double low, double high, long records, double confidence, double accuracy) {

  /** Bins of equal width. */
  public static final int BINS = 10;

  /** The bin, from 0, of a confidence. */
  public static int bin(double confidence) {
    return (int) Math.max(0, Math.min(BINS - 1, Math.ceil(confidence * BINS) - 1));
  }

  /** The bins that have records, ascending. */
  public static List<Reliability> of(List<Scored> records) {
    long[] counts = new long[BINS];
    double[] confidences = new double[BINS];
    long[] correct = new long[BINS];
    for (Scored record : records) {
      int bin = bin(record.confidence());
      counts[bin]++;
      confidences[bin] += record.confidence();
      correct[bin] += record.correct() ? 1 : 0;
    }
    List<Reliability> bins = new ArrayList<>();
    for (int b = 0; b < BINS; b++) {
      if (counts[b] > 0) {
        bins.add(
            new Reliability(
                (double) b / BINS,
                (b + 1.0) / BINS,
                counts[b],
                confidences[b] / counts[b],
                (double) correct[b] / counts[b]));
      }
    }
    return bins;
  }

  /**
   * The expected calibration error: mean over the records of their bin's {@code |accuracy −
   * confidence|}.
   */
  static double error(List<Scored> records) {
    double sum = 0;
    for (Reliability bin : of(records)) {
      sum += bin.records * Math.abs(bin.accuracy - bin.confidence);
    }
    return sum / records.size();
  }
}
