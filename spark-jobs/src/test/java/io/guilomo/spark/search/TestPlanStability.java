package io.guilomo.spark.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.io.StrictObject;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.ModulePlan;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TestPlanStability {

  @Test
  void aPlanThatStaysIsStableUntilItChanges() {
    PlanStability stability = PlanStability.of(plan(4, 4));
    stability = stability.after(plan(4, 4), 0, true).after(plan(4, 4), 0, true);
    assertThat(stability.rounds()).isEqualTo(2);
    assertThat(stability.change()).isZero();
    // One of ten ranks is another expert's.
    stability = stability.after(plan(5, 3), 0.05, true);
    assertThat(stability.change()).isCloseTo(0.1, within(1e-12));
    assertThat(stability.rounds()).isZero();
    // An expert that goes takes three ranks: of 10 and 7, seven each are in common.
    assertThat(stability.after(plan(5, 0), 0.05, true).change()).isCloseTo(3.0 / 17, within(1e-12));
  }

  @Test
  void smallChangesAddUp() {
    PlanStability stability = PlanStability.of(plan(50, 50));
    stability = stability.after(plan(51, 49), 0.02, true).after(plan(52, 48), 0.02, true);
    assertThat(stability.rounds()).isEqualTo(2);
    stability = stability.after(plan(53, 47), 0.02, true);
    assertThat(stability.change()).isCloseTo(6.0 / 204, within(1e-12));
    assertThat(stability.rounds()).isZero();
    assertThat(stability.after(plan(53, 47), 0.02, true).rounds()).isEqualTo(1);
  }

  @Test
  void roundsThatDoNotCountLeaveNothingStable() {
    PlanStability stability = PlanStability.of(plan(4, 4)).after(plan(4, 4), 0, false);
    assertThat(stability.rounds()).isZero();
    assertThat(stability.after(plan(4, 4), 0, true).rounds()).isEqualTo(1);
    assertThat(PlanStability.NONE.after(plan(4, 4), 0.5, true).rounds()).isZero();
  }

  @Test
  void checkpointsKeepItBitForBit() {
    PlanStability stability =
        PlanStability.of(plan(5, 0)).after(plan(4, 1), 0.9, true).after(plan(3, 2), 0.9, true);
    assertThat(PlanStability.fromJson(StrictObject.parse("it", stability.toJson().toString())))
        .isEqualTo(stability);
  }

  /** One module with two experts of rank 1 and, unless their rank is 0, these. */
  private static AllocationPlan plan(int third, int fourth) {
    List<ExpertPlan> experts =
        IntStream.of(0, 0, third - 1, fourth - 1)
            .filter(rank -> rank >= 0)
            .mapToObj(rank -> ExpertPlan.ofRank(rank + 1))
            .toList();
    return new AllocationPlan(
        "guilomo",
        1,
        RoutingMethod.topK(2),
        16,
        false,
        List.of(
            new ModulePlan(
                new LinearModule(0, "q_proj", 3, 4),
                experts,
                experts.size() == 4 ? List.of() : List.of(7))));
  }
}
