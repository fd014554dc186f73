package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.model.RoutingMethod;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestConsensusAllocation {

  private final List<AllocationPlan> plans =
      List.of(
          plan(List.of(2, 8, 3), List.of(1)),
          plan(List.of(4, 2), List.of(5, 7)),
          plan(List.of(6, 5, 4, 2), List.of()));

  @Test
  void everyNumberIsTheMedianOfThePlans() {
    AllocationPlan consensus = consensus(0);
    ModulePlan module = consensus.modules().get(0);
    assertThat(consensus.strategy()).isEqualTo("consensus");
    assertThat(consensus.seed()).isEqualTo(9);
    assertThat(module.experts().stream().map(ExpertPlan::rank)).containsExactly(4, 5, 4);
    assertThat(module.unallocatedRanks()).containsExactly(2);
    // Each plan's experts were routed 10 tokens; two of the three have a third expert.
    assertThat(module.experts().stream().map(ExpertPlan::routedTokens))
        .containsExactly(30L, 30L, 20L);
  }

  @Test
  void ofTwoPlansTheLowerNumberIsTaken() {
    AllocationPlan consensus =
        new ConsensusAllocation(9, new ParameterBudget(0)).plan(plans.subList(0, 2));
    assertThat(consensus.modules().get(0).experts().stream().map(ExpertPlan::rank))
        .containsExactly(2, 2);
  }

  @Test
  void whatFewerPlansHaveGoesFirst() {
    // All three plans have rank 2 of the first expert, two have rank 5 of the second, one rank 8.
    AllocationPlan whole = consensus(0);
    AllocationPlan fitted = consensus(whole.parameters() - 1);
    // Two plans of three have the third expert, rank 4 of the first, rank 5 of the second and rank
    // 4 of the third: equals, of which the expert goes first.
    assertThat(fitted.modules().get(0).experts().stream().map(ExpertPlan::rank))
        .containsExactly(4, 5);
  }

  @Test
  void itIsForTheBackboneOfThePlans() {
    assertThat(consensus(0).backboneDigest()).isEqualTo("6f1ed002");
    assertThat(consensus(consensus(0).parameters() - 1).backboneDigest()).isEqualTo("6f1ed002");
  }

  private AllocationPlan consensus(long budget) {
    return new ConsensusAllocation(9, new ParameterBudget(budget)).plan(plans);
  }

  private static AllocationPlan plan(List<Integer> ranks, List<Integer> unallocated) {
    List<ExpertPlan> experts = ranks.stream().map(rank -> new ExpertPlan(rank, 10)).toList();
    return new AllocationPlan(
            "guilomo",
            1,
            RoutingMethod.topK(2),
            16,
            false,
            List.of(new ModulePlan(Plans.QUERY, experts, unallocated)))
        .learnedWith("6f1ed002");
  }
}
