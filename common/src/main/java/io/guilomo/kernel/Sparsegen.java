package io.guilomo.kernel;

import java.util.Arrays;

/**
 * The projection of a token's logits {@code u} onto the simplex whose sparsity the token chooses
 * itself (LD-MoLE, arXiv 2509.25684, section 3):
 *
 * <pre>
 *   λ = ln σ(z) + 0.99       p_e = max(0, u_e − τ) / (1 − λ)       τ = (Σ_{j ≤ k} u_(j) − 1 + λ) / k
 *   k = max {k : 1 − λ + k · u_(k) > Σ_{j ≤ k} u_(j)}
 * </pre>
 *
 * with {@code u_(1) ≥ u_(2) ≥ …}, the lowest index first among equals. Exactly {@code k} weights
 * are positive for {@code λ_lo(k) ≤ λ < λ_lo(k − 1)}. In 64 bits; one object serves one token after
 * another.
 */
final class Sparsegen {

  private static final double SHIFT = 0.99;

  private final double[] logits;
  private final int[] order;

  Sparsegen(int experts) {
    this.logits = new double[experts];
    this.order = new int[experts];
  }

  /** {@code λ}, below 0.99. */
  static double lambda(double z) {
    return Math.min(z, 0) - Math.log1p(Math.exp(-Math.abs(z))) + SHIFT;
  }

  /** {@code dλ/dz = σ(−z)}. */
  static double slope(double z) {
    return 1 / (1 + Math.exp(z));
  }

  /**
   * Begins with a token.
   *
   * @param u {@code [experts]}
   * @param mask added to it; null for none
   */
  void begin(float[] u, float[] mask) {
    for (int e = 0; e < logits.length; e++) {
      logits[e] = u[e] + (mask == null ? 0.0 : mask[e]);
      int position = e;
      for (; position > 0 && logits[order[position - 1]] < logits[e]; position--) {
        order[position] = order[position - 1];
      }
      order[position] = e;
    }
  }

  /**
   * Chooses the token's experts.
   *
   * @param choice result, from {@code first}: the experts, largest first, then −1
   */
  void choose(double lambda, int[] choice, int first) {
    int used = 0;
    double sum = 0;
    do {
      choice[first + used] = order[used];
      sum += logits[order[used]];
      used++;
    } while (used < order.length
        && 1 - lambda + (used + 1) * logits[order[used]] > sum + logits[order[used]]);
    for (int slot = used; slot < order.length; slot++) {
      choice[first + slot] = -1;
    }
  }

  /**
   * The weights of the experts that were chosen, 0 for the others; not a number if a logit is.
   *
   * @param weights result, {@code [experts]}
   */
  void weights(double lambda, int[] choice, int first, float[] weights) {
    int used = used(choice, first, logits.length);
    double sum = 0;
    for (int slot = first; slot < first + used; slot++) {
      sum += logits[choice[slot]];
    }
    double threshold = (sum - 1 + lambda) / used;
    double all = 0;
    for (int e = 0; e < logits.length; e++) {
      all += logits[e];
    }
    Arrays.fill(weights, Double.isNaN(all) ? Float.NaN : 0);
    for (int slot = first; slot < first + used; slot++) {
      int e = choice[slot];
      weights[e] += (float) ((logits[e] - threshold) / (1 - lambda));
    }
  }

  /** How much larger {@code λ} must be for the token to use at most {@code target} experts. */
  double shortfall(double lambda, int target) {
    if (target >= order.length) {
      return 0;
    }
    double sum = 0;
    for (int j = 0; j < target; j++) {
      sum += logits[order[j]] - logits[order[target]];
    }
    return Math.max(0, 1 - sum - lambda);
  }

  /** Experts that a token uses. */
  static int used(int[] choice, int first, int experts) {
    int used = 1;
    while (used < experts && choice[first + used] >= 0) {
      used++;
    }
    return used;
  }

  /**
   * {@code ∂L/∂u} and the token's {@code ∂L/∂λ} through the weights.
   *
   * @param dLogits result, {@code [experts]}
   */
  static double backward(
      double lambda, int[] choice, int first, float[] weights, float[] dWeights, float[] dLogits) {
    int used = used(choice, first, weights.length);
    double mean = 0;
    double average = 0;
    for (int slot = first; slot < first + used; slot++) {
      mean += (double) dWeights[choice[slot]] / used;
      average += (double) dWeights[choice[slot]] * weights[choice[slot]];
    }
    Arrays.fill(dLogits, 0);
    for (int slot = first; slot < first + used; slot++) {
      dLogits[choice[slot]] = (float) ((dWeights[choice[slot]] - mean) / (1 - lambda));
    }
    return (average - mean) / (1 - lambda);
  }
}
