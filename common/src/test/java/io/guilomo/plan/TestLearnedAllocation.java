package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.guilomo.model.ExpertForm;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestLearnedAllocation {

  @Test
  void expertsAndRanksAreThePositionsOfTheLargestEntries() {
    AllocationPlan plan =
        plan(new float[] {0, 1, 3, 2}, new float[][] {{1, 0}, {0, 1}, {-2, -1}, {5, 4}});
    assertThat(plan.strategy()).isEqualTo("guilomo");
    assertThat(plan.seed()).isEqualTo(9);
    assertThat(plan.module(Plans.QUERY).experts())
        .containsExactly(new ExpertPlan(1, 10), new ExpertPlan(2, 11), new ExpertPlan(2, 12));
    assertThat(plan.module(Plans.QUERY).unallocatedRanks()).containsExactly(1);
  }

  @Test
  void atLeastTwoExperts() {
    float[][] ranks = {{1, 0}, {0, 1}, {0, 1}, {0, 1}};
    assertThat(plan(new float[] {9, 1, 3, 2}, ranks).experts(Plans.QUERY)).isEqualTo(2);
    assertThat(plan(new float[] {1, 9, 3, 2}, ranks).experts(Plans.QUERY)).isEqualTo(2);
    assertThat(plan(new float[] {1, 2, 3, 9}, ranks).experts(Plans.QUERY)).isEqualTo(4);
  }

  @Test
  void tiesGoToTheFirst() {
    AllocationPlan plan =
        plan(new float[] {0, 1, 3, 3}, new float[][] {{7, 7}, {0, 1}, {1, 1}, {0, 0}});
    assertThat(plan.experts(Plans.QUERY)).isEqualTo(3);
    assertThat(plan.rank(Plans.QUERY, 0)).isEqualTo(1);
    assertThat(plan.rank(Plans.QUERY, 2)).isEqualTo(1);
  }

  /** The road to formats that have no routers. */
  @Test
  void theOnlyCandidateIsAPlainLoraOfTheRankThatItsVectorChose() {
    GuidedSelection selection =
        new GuidedSelection(
            Plans.QUERY, new float[] {-3}, new float[][] {{0, 1, 5, 2}}, new long[] {10});
    AllocationPlan plan =
        new LearnedAllocation(9, RoutingMethod.topK(1), 16).plan(List.of(selection));
    assertThat(plan.singleLora()).isTrue();
    assertThat(plan.modules().get(0).experts()).containsExactly(new ExpertPlan(3, 10));
    assertThat(
            new ExpectedAllocation(9, new ExpertForm(RoutingMethod.topK(1), Scaling.overRank(16)))
                .plan(List.of(selection), AllocationStrategy.UNLIMITED))
        .satisfies(
            expected -> {
              assertThat(expected.singleLora()).isTrue();
              assertThat(expected.modules().get(0).experts())
                  .containsExactly(new ExpertPlan(3, 10));
            });
  }

  @Test
  void refusesBrokenVectors() {
    float[][] ranks = {{1, 0}, {0, 1}, {0, Float.NaN}, {0, 1}};
    refused(
        new float[] {0, 1, Float.NaN, 2},
        ranks,
        "Cannot allocate layer 0 q_proj: entry 2 of its expert GSV is NaN");
    refused(
        new float[] {0, 1, 2, 0},
        ranks,
        "Cannot allocate layer 0 q_proj: entry 1 of its rank GSV of expert 2 is NaN");
    refused(
        new float[] {0, 1, 2},
        ranks,
        "Cannot allocate experts to layer 0 q_proj: 3 entries in the expert GSV, 4 rank GSVs, 4 routed-token counts");
    refused(
        new float[] {},
        ranks,
        "Cannot allocate experts to layer 0 q_proj from an empty expert GSV");
    refused(
        new float[] {0, 1, 2, 0},
        new float[][] {{}, {}, {}, {}},
        "Cannot allocate layer 0 q_proj: its rank GSV of expert 0 is empty");
  }

  private static AllocationPlan plan(float[] experts, float[][] ranks) {
    long[] routed = {10, 11, 12, 13};
    return new LearnedAllocation(9, RoutingMethod.topK(2), 16)
        .plan(List.of(new GuidedSelection(Plans.QUERY, experts, ranks, routed)));
  }

  private static void refused(float[] experts, float[][] ranks, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> plan(experts, ranks))
        .withMessage(message);
  }
}
