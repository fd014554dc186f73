package io.guilomo.plan;

import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.UserException;
import java.util.List;

/**
 * The plan that a search starts from, in place of random or equal choices: the GSVs are such that
 * the plan is read off them.
 *
 * @param name of the plan's file, for messages
 */
public record StartPlan(String name, AllocationPlan plan) {

  /**
   * How the logits of a distribution over counts fall on both sides of the planned one. The planned
   * count is reached with a probability of {@code 1 − e^−1.5} or more, so that an entry of the plan
   * is in use with more than its square, 0.60, and any other with no more than {@code e^−1.5},
   * 0.22.
   */
  private static final float SLOPE = 1.5f;

  /** Lowest logit, as in a search. */
  private static final float LOWEST = -10;

  /**
   * The same, for a search among these candidates.
   *
   * @throws UserException if the plan is for other modules, or has more or higher-ranked experts
   */
  public StartPlan requireFor(List<ModuleExperts> candidates) {
    List<LinearModule> modules = candidates.stream().map(ModuleExperts::module).toList();
    for (ModulePlan planned : plan.modules()) {
      LinearModule module = planned.module();
      if (!modules.contains(module)) {
        throw refused(
            "it has experts for %s (%d×%d), which the search does not target",
            module, module.inFeatures(), module.outFeatures());
      }
    }
    for (ModuleExperts candidate : candidates) {
      LinearModule module = candidate.module();
      if (plan.modules().stream().noneMatch(planned -> planned.module().equals(module))) {
        throw refused(
            "it has no experts for %s (%d×%d), which the search targets",
            module, module.inFeatures(), module.outFeatures());
      }
      require(plan.module(module), candidate);
    }
    return this;
  }

  private void require(ModulePlan planned, ModuleExperts candidate) {
    int experts = planned.experts().size();
    int least = ModuleExperts.minExperts(candidate.experts());
    if (experts < least) {
      throw refused(
          "%s has %d expert, a search with lora-moe.max-experts = %d chooses at least %d",
          planned.module(), experts, candidate.experts(), least);
    }
    if (experts > candidate.experts()) {
      throw refused(
          "%s has %d experts; raise lora-moe.max-experts, now %d, or name another plan",
          planned.module(), experts, candidate.experts());
    }
    for (int e = 0; e < experts; e++) {
      int rank = planned.experts().get(e).rank();
      if (rank > candidate.ranks().get(e)) {
        throw refused(
            "%s has an expert of rank %d; raise lora-moe.max-rank, now %d, or name another plan",
            planned.module(), rank, candidate.ranks().get(e));
      }
    }
  }

  private UserException refused(String why, Object... values) {
    return new UserException(
        "Cannot start the search from the plan %s: %s", name, why.formatted(values));
  }

  /**
   * GSVs off which the plan is read without a budget or with one of its own size. Candidates that
   * it leaves out have the ranks that it records for them.
   *
   * @param drawn what the GSVs would start with otherwise. With {@link Estimator#STRAIGHT_THROUGH}
   *     the largest entry of each vector is swapped with the chosen one, so the drawn values are
   *     kept; a vector the plan does not cover stays as drawn.
   */
  public float[] vectors(List<ModuleExperts> candidates, Estimator estimator, float[] drawn) {
    float[] vectors = drawn.clone();
    int offset = 0;
    for (ModuleExperts candidate : candidates) {
      ModulePlan planned = plan.module(candidate.module());
      int experts = planned.experts().size();
      choose(vectors, offset, candidate.experts(), experts, estimator);
      offset += candidate.experts();
      List<Integer> ranks = planned.candidateRanks();
      for (int e = 0; e < candidate.experts(); e++) {
        int most = candidate.ranks().get(e);
        if (e < ranks.size() && ranks.get(e) <= most) {
          choose(vectors, offset, most, ranks.get(e), estimator);
        } else if (estimator == Estimator.EXPECTED) {
          choose(vectors, offset, most, Math.min(most, ranks.get(experts - 1)), estimator);
        }
        offset += most;
      }
    }
    return vectors;
  }

  private static void choose(
      float[] vectors, int offset, int length, int count, Estimator estimator) {
    switch (estimator) {
      case STRAIGHT_THROUGH -> exchange(vectors, offset, length, offset + count - 1);
      case EXPECTED -> {
        for (int j = 0; j < length; j++) {
          vectors[offset + j] = Math.max(LOWEST, -SLOPE * Math.abs(j + 1 - count));
        }
      }
    }
  }

  private static void exchange(float[] vectors, int offset, int length, int chosen) {
    int largest = offset;
    for (int i = offset; i < offset + length; i++) {
      largest = vectors[i] > vectors[largest] ? i : largest;
    }
    float value = vectors[largest];
    vectors[largest] = vectors[chosen];
    vectors[chosen] = value;
    boolean first = true;
    for (int i = offset; i < chosen; i++) {
      first &= vectors[i] < value;
    }
    // Of equal entries the first is the choice.
    vectors[chosen] = first ? value : Math.nextUp(value);
  }
}
