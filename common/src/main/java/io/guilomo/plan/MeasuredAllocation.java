package io.guilomo.plan;

import io.guilomo.config.LoraMoeConfig;
import io.guilomo.model.ConstantName;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.Sharing;
import io.guilomo.model.UserException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The strategies that measure a short training of the largest model, {@code max-experts} of {@code
 * max-rank} everywhere, and keep what is worth most for its parameters. They differ in the value of
 * an expert and its ranks.
 *
 * <p>An expert that is left out leaves its tokens to the others, which do part of its work. {@link
 * #MARGINAL} and {@link #FISHER} know it: the gradient by {@code m_e} is that of handing the tokens
 * over, so that an expert as a whole is worth what it does better than those that would have its
 * tokens. {@link #SVD} does not know it, and prefers many thin experts to few thick ones.
 */
public enum MeasuredAllocation {

  /**
   * After DMEP (arXiv 2604.26340): an expert is worth the share of its module's tokens that is
   * routed to it. Experts are pruned as a whole, so all ranks of the two experts of the largest
   * shares come before any third expert: rank by rank, those of the larger share first.
   */
  USAGE {
    @Override
    List<CandidateValues.Expert> values(ModuleMeasurement measured) {
      double all = Math.max(1, measured.routedTokens());
      List<ModuleMeasurement.Expert> experts =
          measured.experts().stream()
              .sorted(Comparator.comparingLong((ModuleMeasurement.Expert e) -> -e.routedTokens()))
              .toList();
      long rankCost = (long) measured.module().inFeatures() + measured.module().outFeatures();
      List<CandidateValues.Expert> values = new ArrayList<>();
      int minExperts = ModuleExperts.minExperts(experts.size());
      for (int e = 0; e < experts.size(); e++) {
        double share = experts.get(e).routedTokens() / all;
        double[] ranks = new double[experts.get(e).rankGradients().length];
        if (e < minExperts) {
          // Above any share for one parameter, and less from rank to rank.
          Arrays.setAll(ranks, i -> rankCost * (1 + ranks.length - i + share));
        } else {
          // The last rank has all of it, so that they are pooled.
          ranks[ranks.length - 1] = share;
        }
        values.add(new CandidateValues.Expert(0, ranks, experts.get(e).routedTokens()));
      }
      return values;
    }
  },

  /**
   * After PARA (arXiv 2604.27796): a rank is worth the energy of {@code B_e A_e} in its direction,
   * the squared singular value, all modules against one threshold; an expert is worth the sum.
   */
  SVD {
    @Override
    List<CandidateValues.Expert> values(ModuleMeasurement measured) {
      return measured.experts().stream()
          .map(e -> CandidateValues.Expert.of(sum(e.energies()), e.energies(), e.routedTokens()))
          .toList();
    }
  },

  /**
   * What the validation loss falls by to first order: a rank is worth {@code −E[∂L/∂n_{e,i}]}, an
   * expert as a whole {@code −E[∂L/∂m_e]}. As {@code n_e} and the expert's weight {@code p̂_e}
   * scale the same product, the ranks add up to what the expert does, and what is missing to {@code
   * −∂L/∂m_e}, in general negative, is what the others would do for its tokens.
   */
  MARGINAL {
    @Override
    List<CandidateValues.Expert> values(ModuleMeasurement measured) {
      return measured.experts().stream()
          .map(
              e ->
                  CandidateValues.Expert.of(
                      -e.gradient(),
                      Arrays.stream(e.rankGradients()).map(g -> -g).toArray(),
                      e.routedTokens()))
          .toList();
    }
  },

  /**
   * What the loss rises by to second order where the first vanishes: a rank is worth {@code
   * E[(∂L/∂n_{e,i})²]}, an expert as a whole {@code E[(∂L/∂m_e)²]} (the diagonal of the Fisher
   * information by masks: arXiv 2204.09656, section 4).
   */
  FISHER {
    @Override
    List<CandidateValues.Expert> values(ModuleMeasurement measured) {
      return measured.experts().stream()
          .map(e -> CandidateValues.Expert.of(e.square(), e.rankSquares(), e.routedTokens()))
          .toList();
    }
  };

  /** The value of each candidate, in any order. */
  abstract List<CandidateValues.Expert> values(ModuleMeasurement measured);

  /** Names of the strategies. */
  static List<String> names() {
    return Stream.of(values()).map(MeasuredAllocation::toString).toList();
  }

  /** The strategy of a name that is one of {@link #names}. */
  public static MeasuredAllocation of(String strategy) {
    return ConstantName.find(MeasuredAllocation.class, strategy).orElseThrow();
  }

  /**
   * Refuses experts that share {@code A}: what a rank costs, by which its value is divided, would
   * depend on the ranks of the others.
   *
   * @throws UserException if {@code A} is shared
   */
  public void requireOwnA(String sharing) {
    if (!sharing.equals(Sharing.NONE.toString())) {
      throw new UserException(
          "Cannot plan with strategy %s for lora-moe.sharing=%s: it weighs a rank by its parameters,"
              + " which would depend on the ranks of other experts; choose another strategy, or"
              + " sharing %s",
          this, sharing, Sharing.NONE);
    }
  }

  /**
   * The same, and refuses to plan without a budget: every candidate has a value, and nothing says
   * how much is too little.
   *
   * @throws UserException if there is no budget, or {@code A} is shared
   */
  public void require(LoraMoeConfig lora, long budget) {
    requireOwnA(lora.form().sharing().toString());
    if (budget == AllocationStrategy.UNLIMITED) {
      throw new UserException(
          "Cannot plan with strategy %s without a budget: set"
              + " guilomo.allocation.budget.parameters",
          this);
    }
  }

  /**
   * The same, and refuses a budget below the smallest plan for these modules.
   *
   * @throws UserException if there is no budget, as few experts as can be, of rank one, are over
   *     it, or {@code A} is shared
   */
  public void require(List<LinearModule> modules, LoraMoeConfig lora, long budget) {
    require(lora, budget);
    AllocationPlan smallest =
        UniformAllocation.smallest(lora.maxExperts(), lora.form()).plan(modules);
    if (smallest.parameters() > budget) {
      Budgets.refuse(toString(), budget, smallest);
    }
  }

  /**
   * The plan within a budget.
   *
   * @param budget most trainable parameters
   * @throws UserException without a budget, if as few experts as can be, of rank one, are over it,
   *     or {@code A} is shared
   */
  public AllocationPlan plan(CandidateMeasurements measurements, LoraMoeConfig lora, long budget) {
    require(lora, budget);
    List<CandidateValues> values =
        measurements.modules().stream()
            .map(measured -> new CandidateValues(measured.module(), values(measured)))
            .toList();
    return new ValueAllocation(toString(), measurements.seed(), lora.form())
        .plan(values, budget)
        .learnedWith(measurements.backboneDigest());
  }

  private static double sum(double[] values) {
    return Arrays.stream(values).sum();
  }

  @Override
  public String toString() {
    return ConstantName.of(this);
  }
}
