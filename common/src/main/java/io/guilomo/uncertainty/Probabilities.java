package io.guilomo.uncertainty;

import java.util.Arrays;

/** Probabilities from logits, and from other probabilities. */
public final class Probabilities {

  private Probabilities() {}

  /** {@code exp(logit)}, scaled to sum 1. */
  public static double[] softmax(double[] logits) {
    double largest = Arrays.stream(logits).max().orElseThrow();
    double[] probabilities = Arrays.stream(logits).map(s -> Math.exp(s - largest)).toArray();
    double sum = Arrays.stream(probabilities).sum();
    return Arrays.stream(probabilities).map(p -> p / sum).toArray();
  }

  /** The index of the first of the largest. */
  public static int largest(double[] probabilities) {
    int largest = 0;
    for (int i = 1; i < probabilities.length; i++) {
      largest = probabilities[i] > probabilities[largest] ? i : largest;
    }
    return largest;
  }

  /** Their logarithms; of 0 that of the least positive number, so that none is infinite. */
  static double[] logarithms(double[] probabilities) {
    return Arrays.stream(probabilities).map(p -> Math.log(Math.max(p, Double.MIN_VALUE))).toArray();
  }

  /**
   * The softmax at a temperature of the logits that these are the softmax of: above 1 they come
   * closer together.
   */
  public static double[] tempered(double[] probabilities, double temperature) {
    return softmax(Arrays.stream(logarithms(probabilities)).map(l -> l / temperature).toArray());
  }
}
