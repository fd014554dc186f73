package io.guilomo.kernel;

import io.guilomo.model.ModuleExperts;

/**
 * The two straight-through functions of GuidedSelection Vectors (arXiv 2506.14646, section 3.2): a
 * hard mask forward, a soft gradient backward.
 */
public final class StraightThrough {

  /** Kind of vectors whose masks choose experts. */
  public static final int EXPERTS = 0;

  /** Kind of vectors whose masks choose ranks of an expert. */
  public static final int RANKS = 1;

  /** Added to the router logits of experts in use. */
  private static final float EXPERT_KEPT = 0.5f;

  /** Added to the router logits of experts not in use. */
  private static final float EXPERT_DROPPED = -1e4f;

  /** Factor on the ranks not in use. */
  private static final float RANK_DROPPED = 1e-4f;

  private StraightThrough() {}

  /**
   * The masks of vectors stored one after another: {@code m_i = +0.5} for {@code i ≤ k*}, {@code
   * −1e4} above; {@code n_i = 1} for {@code i ≤ r*}, {@code 1e-4} above.
   *
   * @param starts index of each vector's first entry, and the end of the last vector
   * @param kinds {@link #EXPERTS} or {@link #RANKS}
   */
  public static float[] masks(int[] starts, int[] kinds, float[] gsvs) {
    float[] masks = new float[gsvs.length];
    for (int v = 0; v < kinds.length; v++) {
      boolean experts = kinds[v] == EXPERTS;
      int length = starts[v + 1] - starts[v];
      int last = experts ? lastExpert(gsvs, starts[v], length) : lastRank(gsvs, starts[v], length);
      for (int i = 0; i < length; i++) {
        float kept = experts ? EXPERT_KEPT : 1;
        float dropped = experts ? EXPERT_DROPPED : RANK_DROPPED;
        masks[starts[v] + i] = i <= last ? kept : dropped;
      }
    }
    return masks;
  }

  /** The gradient of such vectors, given the gradient of their {@link #masks}. */
  public static float[] gradients(int[] starts, int[] kinds, float[] gsvs, float[] maskGradients) {
    float[] gradients = new float[gsvs.length];
    for (int i = 0; i < kinds.length; i++) {
      int length = starts[i + 1] - starts[i];
      if (kinds[i] == EXPERTS) {
        expertGradient(gsvs, starts[i], length, maskGradients, gradients);
      } else {
        rankGradient(gsvs, starts[i], length, maskGradients, gradients);
      }
    }
    return gradients;
  }

  /** Index of the last expert in use; at least 1 where there are two, so that two are left. */
  public static int lastExpert(float[] gsv, int offset, int experts) {
    return Math.max(ModuleExperts.minExperts(experts) - 1, argmaxOfSigmoid(gsv, offset, experts));
  }

  /** Index of the last rank in use. */
  public static int lastRank(float[] gsv, int offset, int ranks) {
    return argmaxOfSigmoid(gsv, offset, ranks);
  }

  /**
   * {@code ∂L/∂σ_{k*} = Σ_{i ≤ k*} ∂L/∂m_i · σ_i}, 0 elsewhere; then the derivative of the sigmoid.
   */
  private static void expertGradient(
      float[] gsv, int offset, int experts, float[] maskGradient, float[] gradient) {
    int last = lastExpert(gsv, offset, experts);
    double sum = 0;
    for (int i = 0; i < experts; i++) {
      gradient[offset + i] = 0;
      if (i <= last) {
        sum += (double) maskGradient[offset + i] * sigmoid(gsv[offset + i]);
      }
    }
    gradient[offset + last] = (float) (sum * sigmoidDerivative(gsv[offset + last]));
  }

  /**
   * {@code ∂L/∂τ_{r*} = Σ_{i ≤ r*} ∂L/∂n_i · τ_i}, {@code 1e-4 · ∂L/∂n_i} elsewhere; then the
   * sigmoid's derivative.
   */
  private static void rankGradient(
      float[] gsv, int offset, int ranks, float[] maskGradient, float[] gradient) {
    int last = lastRank(gsv, offset, ranks);
    double sum = 0;
    for (int i = 0; i < ranks; i++) {
      double soft = sigmoid(gsv[offset + i]);
      if (i <= last) {
        sum += maskGradient[offset + i] * soft;
      }
      gradient[offset + i] =
          (float) (RANK_DROPPED * maskGradient[offset + i] * sigmoidDerivative(gsv[offset + i]));
    }
    gradient[offset + last] = (float) (sum * sigmoidDerivative(gsv[offset + last]));
  }

  private static int argmaxOfSigmoid(float[] gsv, int offset, int length) {
    int best = 0;
    for (int i = 1; i < length; i++) {
      if (sigmoid(gsv[offset + i]) > sigmoid(gsv[offset + best])) {
        best = i;
      }
    }
    return best;
  }

  /** Rounded to 32 bits, in which the sigmoids of large values are equal. */
  private static float sigmoid(float x) {
    return (float) (1 / (1 + Math.exp(-(double) x)));
  }

  private static double sigmoidDerivative(float x) {
    float soft = sigmoid(x);
    return soft * (1 - (double) soft);
  }
}
