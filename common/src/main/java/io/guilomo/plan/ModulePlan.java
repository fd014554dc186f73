package io.guilomo.plan;

import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The allocation of one linear module.
 *
 * @param module the frozen module
 * @param experts its experts, in the order of the router's rows; at least one
 * @param unallocatedRanks ranks that the search settled on for the candidates after the last
 *     expert, which were not allocated; empty without a search. The released code's {@code
 *     rank.json} has them too.
 */
public record ModulePlan(
    LinearModule module, List<ExpertPlan> experts, List<Integer> unallocatedRanks) {

  public ModulePlan {
    experts = List.copyOf(experts);
    unallocatedRanks = List.copyOf(unallocatedRanks);
    if (experts.isEmpty()) {
      throw new UserException("Cannot allocate 0 experts to " + module + ": minimum is 1");
    }
    for (int rank : unallocatedRanks) {
      if (rank < 1) {
        throw new UserException(
            "Cannot record rank %d for an unallocated expert of %s: minimum is 1", rank, module);
      }
    }
  }

  public ModulePlan(LinearModule module, List<ExpertPlan> experts) {
    this(module, experts, List.of());
  }

  /** The first {@code experts} of the candidates of a search; of the others, the ranks only. */
  static ModulePlan of(LinearModule module, List<ExpertPlan> candidates, int experts) {
    return new ModulePlan(
        module,
        candidates.subList(0, experts),
        candidates.stream().skip(experts).map(ExpertPlan::rank).toList());
  }

  /** A number of experts of the same rank. */
  public static ModulePlan uniform(LinearModule module, int experts, int rank) {
    return new ModulePlan(
        module, Collections.nCopies(Math.max(experts, 0), ExpertPlan.ofRank(rank)));
  }

  /** {@code R = Σ_e r_e}. */
  public int totalRank() {
    return experts.stream().mapToInt(ExpertPlan::rank).sum();
  }

  /**
   * Trainable parameters of one expert: {@code r_e (in + out)}, and {@code in} for its row of the
   * router.
   */
  public long parameters(int expert) {
    long features = (long) module.inFeatures() + module.outFeatures();
    return experts.get(expert).rank() * features + module.inFeatures();
  }

  /** Trainable parameters: {@code Σ_e r_e (in + out) + E · in}. */
  public long parameters() {
    return IntStream.range(0, experts.size()).mapToLong(this::parameters).sum();
  }
}
