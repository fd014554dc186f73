package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Sharing;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestAllocationPlan {
  private final AllocationPlan plan = Plans.learned();

  @Test
  void everyExpertHasItsOwnScaling() {
    assertThat(plan.experts(Plans.QUERY)).isEqualTo(2);
    assertThat(plan.rank(Plans.QUERY, 0)).isEqualTo(3);
    assertThat(plan.scaling(Plans.QUERY, 0)).isEqualTo(16.0 / 3);
    assertThat(plan.scaling(Plans.QUERY, 1)).isEqualTo(2.0);
    assertThat(plan.scaling(Plans.DOWN, 0)).isEqualTo(16.0);
    assertThat(plan.scaling(Plans.DOWN, 2)).isEqualTo(4.0);
  }

  @Test
  void parametersCountExpertsAndRouterRows() {
    assertThat(plan.parameters(Plans.QUERY)).isEqualTo(11 * 10 + 2 * 4);
    assertThat(plan.parameters(Plans.DOWN)).isEqualTo(7 * 14 + 3 * 10);
    assertThat(plan.parameters()).isEqualTo(118 + 128);
    assertThat(plan.module(Plans.DOWN).parameters(1, Sharing.NONE)).isEqualTo(2 * 14 + 10);
    assertThat(plan.totalRank()).isEqualTo(18);
    assertThat(plan.totalExperts()).isEqualTo(5);
  }

  @Test
  void aSharedACountsOnceAModule() {
    AllocationPlan shared =
        new AllocationPlan("guilomo", 0, Plans.form(Sharing.SHARED_A), false, plan.modules());
    assertThat(shared.parameters(Plans.QUERY)).isEqualTo(8 * 4 + 11 * 6 + 2 * 4);
    assertThat(shared.parameters(Plans.DOWN)).isEqualTo(4 * 10 + 7 * 4 + 3 * 10);
    assertThat(shared.parameters()).isEqualTo(106 + 98);
    assertThat(shared.module(Plans.DOWN).parameters(1, Sharing.SHARED_A)).isEqualTo(2 * 4 + 10);
    assertThat(shared.moduleExperts()).extracting(ModuleExperts::rowsOfA).containsExactly(8, 4);
    assertThat(plan.moduleExperts()).extracting(ModuleExperts::rowsOfA).containsExactly(11, 7);
  }

  @Test
  void parametersOfTheModelsOfThePaper() {
    List<LinearModule> llama2 = Plans.llama(4096, 11008, 32, 32, 32);
    List<LinearModule> llama3 = Plans.llama(4096, 14336, 32, 32, 8);
    List<LinearModule> mistral = Plans.llama(4096, 14336, 32, 32, 8);
    assertThat(uniform(5, llama2)).isEqualTo(105_635_840L);
    assertThat(uniform(5, llama3)).isEqualTo(111_083_520L);
    assertThat(uniform(5, mistral)).isEqualTo(111_083_520L);
    assertThat(uniform(8, llama2)).isEqualTo(169_017_344L);
    assertThat(uniform(8, llama3)).isEqualTo(177_733_632L);
  }

  @Test
  void aMeanOfFiveExpertsCostsWhatFiveCost() {
    List<LinearModule> modules = Plans.llama(4096, 11008, 32, 32, 32);
    List<ModulePlan> plans =
        modules.stream()
            .map(module -> ModulePlan.uniform(module, module.layer() % 2 == 0 ? 2 : 8, 8))
            .toList();
    assertThat(new AllocationPlan("mola", 0, RoutingMethod.topK(2), 16, false, plans).parameters())
        .isEqualTo(105_635_840L);
  }

  @Test
  void theNetworkGetsThePlansRanksAndScalings() {
    assertThat(plan.moduleExperts())
        .contains(
            new ModuleExperts(
                Plans.QUERY, List.of(3, 8), List.of(16.0 / 3, 2.0), RoutingMethod.topK(2)));
  }

  @Test
  void topKIsAtMostTheExpertsOfTheModule() {
    AllocationPlan wide =
        new AllocationPlan("guilomo", 0, RoutingMethod.topK(3), 16, false, plan.modules());
    assertThat(wide.topK(Plans.QUERY)).isEqualTo(2);
    assertThat(wide.topK(Plans.DOWN)).isEqualTo(3);
  }

  @Test
  void singleLoraIsAllowedWhereThePlanSaysSo() {
    AllocationPlan single =
        new UniformAllocation(1, 8, RoutingMethod.topK(2), 16).plan(List.of(Plans.QUERY));
    assertThat(single.singleLora()).isTrue();
    assertThat(single.experts(Plans.QUERY)).isEqualTo(1);
    assertThat(single.topK(Plans.QUERY)).isEqualTo(1);
    refused(
        "Cannot allocate 1 expert to layer 0 q_proj: minimum is 2", 2, 16, false, single.modules());
  }

  @Test
  void refusesWhatCannotBeTrained() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new UniformAllocation(0, 8, RoutingMethod.topK(2), 16).plan(List.of(Plans.QUERY)))
        .withMessage("Cannot allocate 0 experts to layer 0 q_proj: minimum is 1");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new UniformAllocation(2, 0, RoutingMethod.topK(2), 16).plan(List.of(Plans.QUERY)))
        .withMessage("Cannot allocate rank 0: minimum is 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ExpertPlan(1, -1))
        .withMessage("Cannot record -1 routed tokens: minimum is 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ModulePlan(Plans.QUERY, List.of(ExpertPlan.ofRank(1)), List.of(0)))
        .withMessage(
            "Cannot record rank 0 for an unallocated expert of layer 0 q_proj: minimum is 1");
    List<ModulePlan> modules = plan.modules();
    refused("Cannot route a token to 0 experts: minimum is 1", 0, 16, false, modules);
    refused("Cannot use alpha NaN: it must be positive and finite", 2, Double.NaN, false, modules);
    refused(
        "Cannot use alpha Infinity: it must be positive and finite",
        2,
        Double.POSITIVE_INFINITY,
        false,
        modules);
    refused("Cannot use alpha 0.0: it must be positive and finite", 2, 0, false, modules);
    refused("Cannot make a plan for 0 modules", 2, 16, false, List.of());
    LinearModule reshaped = new LinearModule(0, "q_proj", 9, 9);
    refused(
        "Cannot plan layer 0 q_proj twice",
        2,
        16,
        false,
        List.of(modules.get(0), ModulePlan.uniform(reshaped, 2, 2)));
  }

  @Test
  void refusesModulesItDoesNotKnow() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> plan.experts(new LinearModule(1, "q_proj", 4, 6)))
        .withMessage("Cannot find layer 1 q_proj in the plan");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> plan.rank(new LinearModule(0, "q_proj", 8, 6), 0))
        .withMessage(
            "Cannot use the plan for layer 0 q_proj: it has 8×6 features, the plan says 4×6");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> plan.rank(Plans.QUERY, 2))
        .withMessage("Cannot find expert 2 of layer 0 q_proj: it has 2");
  }

  private static long uniform(int experts, List<LinearModule> modules) {
    return new UniformAllocation(experts, 8, RoutingMethod.topK(2), 16).plan(modules).parameters();
  }

  private static void refused(
      String message, int topK, double alpha, boolean single, List<ModulePlan> modules) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new AllocationPlan("guilomo", 0, RoutingMethod.topK(topK), alpha, single, modules))
        .withMessage(message);
  }
}
