package io.guilomo.model;

import java.io.Serializable;

/**
 * How strongly an expert's output counts, {@code s_e}, by its rank.
 *
 * @param alpha LoRA's α
 */
public record Scaling(Rule rule, double alpha) implements Serializable {

  /** What α is divided by. */
  public enum Rule {
    /** {@code s = α / r}, LoRA's own (arXiv 2106.09685, section 4.1). */
    ALPHA_OVER_RANK,
    /**
     * {@code s = α / √r}, of rank-stabilised LoRA (arXiv 2312.03732, theorem 3.2): experts of
     * different ranks learn at comparable speed.
     */
    ALPHA_OVER_SQRT_RANK;

    @Override
    public String toString() {
      return ConstantName.of(this);
    }
  }

  public Scaling {
    if (!Double.isFinite(alpha) || alpha <= 0) {
      throw new UserException("Cannot use alpha " + alpha + ": it must be positive and finite");
    }
  }

  /** {@code α / r}. */
  public static Scaling overRank(double alpha) {
    return new Scaling(Rule.ALPHA_OVER_RANK, alpha);
  }

  /** {@code s} of an expert of this rank. */
  public double of(int rank) {
    return alpha / divisor(rank);
  }

  /** What α is divided by for an expert of this rank. */
  public double divisor(int rank) {
    return rule == Rule.ALPHA_OVER_RANK ? rank : Math.sqrt(rank);
  }
}
