package io.guilomo.plan;

import io.guilomo.model.LinearModule;
import io.guilomo.model.Sharing;
import io.guilomo.model.UserException;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

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

  /** {@code r_e} of its experts. */
  public List<Integer> ranks() {
    return experts.stream().map(ExpertPlan::rank).toList();
  }

  /** Ranks of all candidates of a search: those of the experts, then the unallocated ones. */
  public List<Integer> candidateRanks() {
    return Stream.concat(ranks().stream(), unallocatedRanks.stream()).toList();
  }

  /** {@code R = Σ_e r_e}. */
  public int totalRank() {
    return experts.stream().mapToInt(ExpertPlan::rank).sum();
  }

  /**
   * Trainable parameters that one expert has for itself: {@code r_e (in + out)}, without {@code r_e
   * · in} where {@code A} is shared, and {@code in} for its row of the router.
   */
  public long parameters(int expert, Sharing sharing) {
    long rank = experts.get(expert).rank();
    long ownA = sharing == Sharing.NONE ? rank * module.inFeatures() : 0;
    return ownA + rank * module.outFeatures() + module.inFeatures();
  }

  /** Trainable parameters: {@link Sharing#parameters}. */
  public long parameters(Sharing sharing) {
    return sharing.parameters(module, ranks());
  }
}
