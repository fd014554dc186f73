package io.guilomo.inference;

import io.guilomo.data.Seeds;
import java.util.Arrays;

/**
 * Chooses the tokens of one sequence. What is drawn depends on the seed, the prompt and the index
 * of the token alone, so that it is the same in every batch.
 */
final class TokenSampler {

  private final GenerationSettings settings;
  private final long seed;

  TokenSampler(GenerationSettings settings, int[] prompt) {
    this.settings = settings;
    long mixed = settings.seed();
    for (int token : prompt) {
      mixed = Seeds.mix(mixed, token);
    }
    this.seed = mixed;
  }

  /**
   * @param logits of every token of the vocabulary
   * @param index of the token in the response
   */
  int choose(float[] logits, int index) {
    int likeliest = likeliest(logits);
    if (settings.greedy()) {
      return likeliest;
    }
    double[] weights = new double[logits.length];
    for (int i = 0; i < logits.length; i++) {
      weights[i] = Math.exp((logits[i] - (double) logits[likeliest]) / settings.temperature());
    }
    int[] candidates = candidates(logits, weights);
    double sum = 0;
    for (int candidate : candidates) {
      sum += weights[candidate];
    }
    // 53 random bits: a number in [0, 1).
    double left = sum * ((Seeds.mix(seed, index) >>> 11) * 0x1.0p-53);
    for (int candidate : candidates) {
      left -= weights[candidate];
      if (left < 0) {
        return candidate;
      }
    }
    // Rounding has used up the sum.
    return likeliest;
  }

  /** The first of the largest. */
  private static int likeliest(float[] logits) {
    int likeliest = 0;
    for (int i = 0; i < logits.length; i++) {
      if (!Float.isFinite(logits[i])) {
        throw new ArithmeticException(
            String.format("Cannot choose a token: the logit of token %d is %s", i, logits[i]));
      }
      if (logits[i] > logits[likeliest]) {
        likeliest = i;
      }
    }
    return likeliest;
  }

  /** Tokens that may be drawn; the likeliest first unless all may. */
  private int[] candidates(float[] logits, double[] weights) {
    int[] order = new int[logits.length];
    Arrays.setAll(order, i -> i);
    if (settings.topK() == 0 && settings.topP() == 1) {
      return order;
    }
    sortByLogit(logits, order);
    int count = settings.topK() == 0 ? order.length : Math.min(settings.topK(), order.length);
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weights[order[i]];
    }
    double reached = 0;
    int kept = 0;
    while (kept < count && (kept == 0 || reached < settings.topP() * sum)) {
      reached += weights[order[kept++]];
    }
    return Arrays.copyOf(order, kept);
  }

  /** Largest first, the lowest token first among equals. */
  private static void sortByLogit(float[] logits, int[] order) {
    long[] keys = new long[logits.length];
    for (int i = 0; i < keys.length; i++) {
      int bits = Float.floatToIntBits(logits[i] + 0f);
      // Negative floats compare the other way round by their bits; both signs are turned over.
      int descending = bits < 0 ? bits & Integer.MAX_VALUE : ~bits;
      keys[i] = (long) descending << 32 | i;
    }
    Arrays.sort(keys);
    for (int i = 0; i < keys.length; i++) {
      order[i] = (int) keys[i];
    }
  }
}
