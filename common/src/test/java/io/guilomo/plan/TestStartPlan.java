package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.UserException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TestStartPlan {

  private static final ExpertForm FORM =
      new ExpertForm(RoutingMethod.topK(2), Scaling.overRank(16));
  private static final int EXPERTS = 5;
  private static final int RANK = 9;
  private static final List<LinearModule> MODULES = Plans.llama(8, 24, 2, 2, 1);
  private static final List<ModuleExperts> CANDIDATES =
      MODULES.stream().map(module -> ModuleExperts.uniform(module, EXPERTS, RANK, FORM)).toList();

  @ParameterizedTest
  @EnumSource
  void thePlanIsReadOffTheVectors(Estimator estimator) {
    Random random = new Random(1);
    for (int i = 0; i < 200; i++) {
      AllocationPlan plan = random(random);
      List<GuidedSelection> start = start(plan, estimator, random);
      assertThat(readOff(start, estimator, AllocationStrategy.UNLIMITED).modules())
          .isEqualTo(plan.modules());
      assertThat(readOff(start, estimator, plan.parameters()).modules()).isEqualTo(plan.modules());
      AllocationPlan smaller = readOff(start, estimator, plan.parameters() * 9 / 10);
      Plans.assertPartOf(smaller, plan);
    }
  }

  @Test
  void theValuesThatWereDrawnOnlyChangePlaces() {
    Random random = new Random(2);
    float[] drawn = drawn(random);
    float[] vectors =
        new StartPlan("it", random(random)).vectors(CANDIDATES, Estimator.STRAIGHT_THROUGH, drawn);
    int offset = 0;
    for (int length = EXPERTS; offset < drawn.length; offset += length) {
      length = offset % (EXPERTS + EXPERTS * RANK) == 0 ? EXPERTS : RANK;
      float[] before = Arrays.copyOfRange(drawn, offset, offset + length);
      float[] after = Arrays.copyOfRange(vectors, offset, offset + length);
      Arrays.sort(before);
      Arrays.sort(after);
      assertThat(after).isEqualTo(before);
    }
    // Of equal values the first would be the choice.
    AllocationPlan plan = random(random);
    float[] equal = new float[drawn.length];
    Arrays.fill(equal, 0.125f);
    assertThat(
            readOff(
                    GuidedSelection.of(
                        CANDIDATES,
                        new StartPlan("it", plan)
                            .vectors(CANDIDATES, Estimator.STRAIGHT_THROUGH, equal),
                        Map.of()),
                    Estimator.STRAIGHT_THROUGH,
                    AllocationStrategy.UNLIMITED)
                .modules())
        .isEqualTo(plan.modules());
  }

  @ParameterizedTest
  @EnumSource
  void aPlanThatKnowsFewerCandidatesLeavesTheOthersOut(Estimator estimator) {
    AllocationPlan plan = new UniformAllocation(3, 4, FORM).plan(MODULES);
    AllocationPlan read =
        readOff(start(plan, estimator, new Random(3)), estimator, AllocationStrategy.UNLIMITED);
    assertThat(read.modules())
        .extracting(ModulePlan::experts)
        .isEqualTo(plan.modules().stream().map(ModulePlan::experts).toList());
    if (estimator == Estimator.EXPECTED) {
      assertThat(read.modules())
          .allSatisfy(module -> assertThat(module.unallocatedRanks()).containsExactly(4, 4));
    }
  }

  @Test
  void plansOfOtherSearchesAreRefused() {
    refused(
        new UniformAllocation(6, 4, FORM).plan(MODULES),
        "layer 0 q_proj has 6 experts; raise lora-moe.max-experts, now 5, or name another plan");
    refused(
        new UniformAllocation(3, 10, FORM).plan(MODULES),
        "layer 0 q_proj has an expert of rank 10; raise lora-moe.max-rank, now 9, or name another"
            + " plan");
    refused(
        new UniformAllocation(3, 4, FORM).plan(Plans.llama(8, 32, 2, 2, 1)),
        "it has experts for layer 0 gate_proj (8×32), which the search does not target");
    refused(
        new UniformAllocation(3, 4, FORM).plan(MODULES.subList(0, 3)),
        "it has no experts for layer 0 o_proj (8×8), which the search targets");
    refused(
        new AllocationPlan(
            "single",
            1,
            FORM,
            true,
            MODULES.stream().map(module -> ModulePlan.uniform(module, 1, 4)).toList()),
        "layer 0 q_proj has 1 expert, a search with lora-moe.max-experts = 5 chooses at least 2");
  }

  @ParameterizedTest
  @EnumSource
  void aSearchWithOneCandidateStartsFromASingleExpert(Estimator estimator) {
    List<ModuleExperts> single =
        MODULES.stream().map(module -> ModuleExperts.uniform(module, 1, RANK, FORM)).toList();
    AllocationPlan plan =
        new AllocationPlan(
            "guilomo",
            7,
            FORM,
            true,
            MODULES.stream().map(module -> ModulePlan.uniform(module, 1, 4)).toList());
    float[] vectors =
        new StartPlan("it", plan)
            .requireFor(single)
            .vectors(single, estimator, new float[MODULES.size() * (1 + RANK)]);
    assertThat(
            readOff(
                    GuidedSelection.of(single, vectors, Map.of()),
                    estimator,
                    AllocationStrategy.UNLIMITED)
                .modules())
        .isEqualTo(plan.modules());
  }

  private static void refused(AllocationPlan plan, String why) {
    assertThatThrownBy(() -> new StartPlan("old/plan.json", plan).requireFor(CANDIDATES))
        .isInstanceOf(UserException.class)
        .hasMessage("Cannot start the search from the plan old/plan.json: " + why);
  }

  private static List<GuidedSelection> start(
      AllocationPlan plan, Estimator estimator, Random random) {
    float[] vectors =
        new StartPlan("it", plan)
            .requireFor(CANDIDATES)
            .vectors(CANDIDATES, estimator, drawn(random));
    return GuidedSelection.of(CANDIDATES, vectors, Map.of());
  }

  private static AllocationPlan readOff(
      List<GuidedSelection> selections, Estimator estimator, long budget) {
    return AllocationStrategies.learned(estimator, 7, FORM, selections, budget);
  }

  /** A learned plan, which knows all candidates. */
  private static AllocationPlan random(Random random) {
    List<ModulePlan> modules = new ArrayList<>();
    for (LinearModule module : MODULES) {
      List<ExpertPlan> ranks = new ArrayList<>(Collections.nCopies(EXPERTS, null));
      ranks.replaceAll(none -> ExpertPlan.ofRank(1 + random.nextInt(RANK)));
      modules.add(ModulePlan.of(module, ranks, 2 + random.nextInt(EXPERTS - 1)));
    }
    return new AllocationPlan("guilomo", 7, FORM, false, modules);
  }

  private static float[] drawn(Random random) {
    float[] drawn = new float[MODULES.size() * (EXPERTS + EXPERTS * RANK)];
    for (int i = 0; i < drawn.length; i++) {
      drawn[i] = random.nextFloat();
    }
    return drawn;
  }
}
