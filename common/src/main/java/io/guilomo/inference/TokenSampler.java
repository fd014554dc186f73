package io.guilomo.inference;

import io.guilomo.data.Seeds;
import java.util.Arrays;

/**
 * Chooses the tokens of one sequence. A sample depends only on the seed, the prompt and the index
 * of the token, so it is the same in every batch.
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
   * @param logits logits of all tokens of the vocabulary
   * @param index index of the token in the response
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
    // Reached only through rounding of the sum.
    return likeliest;
  }

  /** The index of the first of the largest logits. */
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

  /** The tokens to sample from; sorted by likelihood unless they are all of them. */
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

  /** Sorts by descending logit, then ascending token. */
  private static void sortByLogit(float[] logits, int[] order) {
    long[] keys = new long[logits.length];
    for (int i = 0; i < keys.length; i++) {
      int bits = Float.floatToIntBits(logits[i] + 0f);
      // The bits of negative floats sort in reverse; both signs are flipped for descending order.
      int descending = bits < 0 ? bits & Integer.MAX_VALUE : ~bits;
      keys[i] = (long) descending << 32 | i;
    }
    Arrays.sort(keys);
    for (int i = 0; i < keys.length; i++) {
      order[i] = (int) keys[i];
    }
  }
}
