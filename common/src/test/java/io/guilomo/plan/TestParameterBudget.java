package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.LoraMoeConfig;
import io.guilomo.model.LinearModule;
import io.guilomo.model.Sharing;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class TestParameterBudget {

  private static final LearnedAllocation LEARNED = learned(Sharing.NONE);

  private static LearnedAllocation learned(Sharing sharing) {
    return new LearnedAllocation(7, Plans.form(sharing));
  }

  @Test
  void theEntryOfTheLeastValueGoesFirst() {
    // One module of 3 + 4 features with three experts of ranks 2, 1, 2; an expert's router row has
    // 3 parameters, a rank 7.
    List<GuidedSelection> selections =
        List.of(
            new GuidedSelection(
                new LinearModule(0, "q_proj", 3, 4),
                new float[] {0.1f, 0.2f, 0.5f, 0.2f},
                new float[][] {{0.1f, 0.4f}, {0.3f, 0.1f}, {0.2f, 0.6f}, {0.5f, 0.4f}},
                new long[4]));
    assertThat(Plans.firstRanks(LEARNED.plan(selections))).containsExactly(2, 1, 2);
    // 44 parameters. Least is rank 2 of the first expert (0.4), then the third expert (0.5), whose
    // rank 2 (0.6) goes with it.
    assertThat(Plans.firstRanks(within(selections, 44))).containsExactly(2, 1, 2);
    assertThat(Plans.firstRanks(within(selections, 43))).containsExactly(1, 1, 2);
    assertThat(Plans.firstRanks(within(selections, 37))).containsExactly(1, 1, 2);
    assertThat(Plans.firstRanks(within(selections, 36))).containsExactly(1, 1);
    AllocationPlan least = within(selections, 20);
    assertThat(Plans.firstRanks(least)).containsExactly(1, 1);
    assertThat(least.modules().get(0).unallocatedRanks()).containsExactly(2, 1);
    assertThatThrownBy(() -> within(selections, 19))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot keep the plan within 19 parameters: its smallest form has 20");
  }

  /** A row of the shared {@code A} goes with the last expert that uses it. */
  @Test
  void aRowOfASharedAIsGivenUpOnce() {
    // Ranks 2, 2, 1 of 3 + 4 features: 2 · 3 + 5 · 4 + 3 · 3 = 35 parameters.
    List<GuidedSelection> selections =
        List.of(
            new GuidedSelection(
                new LinearModule(0, "q_proj", 3, 4),
                new float[] {0.1f, 0.2f, 0.5f},
                new float[][] {{0.1f, 0.4f}, {0.1f, 0.3f}, {0.6f, 0.2f}},
                new long[3]));
    LearnedAllocation learned = learned(Sharing.SHARED_A);
    for (Map.Entry<Long, List<Integer>> each :
        Map.of(
                35L, List.of(2, 2, 1),
                34L, List.of(2, 1, 1),
                31L, List.of(2, 1, 1),
                30L, List.of(1, 1, 1),
                24L, List.of(1, 1, 1),
                23L, List.of(1, 1))
            .entrySet()) {
      AllocationPlan plan = learned.plan(selections, new ParameterBudget(each.getKey()));
      assertThat(Plans.firstRanks(plan)).as("%s", each).isEqualTo(each.getValue());
      assertThat(plan.parameters()).isLessThanOrEqualTo(each.getKey());
    }
    assertThatThrownBy(() -> learned.plan(selections, new ParameterBudget(16)))
        .hasMessage("Cannot keep the plan within 16 parameters: its smallest form has 17");
  }

  @Property(tries = 200)
  void aPlanIsNeverOverItsBudgetAndASmallerBudgetsPlanIsPartOfALargerOnes(
      @ForAll long seed,
      @ForAll Sharing sharing,
      @ForAll @DoubleRange(min = 0, max = 1) double share,
      @ForAll @DoubleRange(min = 0, max = 1) double lesser) {
    List<GuidedSelection> selections = selections(seed);
    AllocationPlan whole = learned(sharing).plan(selections);
    long least =
        new UniformAllocation(2, 1, Plans.form(sharing))
            .plan(selections.stream().map(GuidedSelection::module).toList())
            .parameters();
    long budget = least + (long) (share * (whole.parameters() - least));
    AllocationPlan plan = within(sharing, selections, budget);
    AllocationPlan smaller =
        within(sharing, selections, least + (long) (share * lesser * (whole.parameters() - least)));
    assertThat(plan.parameters()).isLessThanOrEqualTo(budget);
    Plans.assertPartOf(smaller, plan);
    Plans.assertPartOf(plan, whole);
    assertThat(within(sharing, selections, AllocationStrategy.UNLIMITED)).isEqualTo(whole);
    assertThat(within(sharing, selections, whole.parameters())).isEqualTo(whole);
    plan.modules()
        .forEach(
            module -> {
              assertThat(module.experts()).hasSizeGreaterThanOrEqualTo(2);
              assertThat(module.experts().size() + module.unallocatedRanks().size()).isEqualTo(5);
            });
  }

  @Property(tries = 200)
  void randomPlansFillTheirBudget(
      @ForAll long seed,
      @ForAll Sharing sharing,
      @ForAll @IntRange(min = 1, max = 100) int percent) {
    List<LinearModule> modules = Plans.llama(8, 24, 3, 2, 1);
    long least = new UniformAllocation(2, 1, Plans.form(sharing)).plan(modules).parameters();
    long most = new UniformAllocation(4, 3, Plans.form(sharing)).plan(modules).parameters();
    long budget = least + (most - least) * percent / 100;
    RandomAllocation random =
        new RandomAllocation(new LoraMoeConfig(List.of(), 4, 3, Plans.form(sharing), 0, 0));
    AllocationPlan plan = random.plan(modules, seed, budget);
    assertThat(plan).isEqualTo(random.plan(modules, seed, budget));
    assertThat(plan.parameters()).isLessThanOrEqualTo(budget);
    long left = budget - plan.parameters();
    for (ModulePlan module : plan.modules()) {
      List<List<Integer>> larger = new ArrayList<>();
      if (module.experts().size() < 4) {
        larger.add(Stream.concat(module.ranks().stream(), Stream.of(1)).toList());
      }
      for (int e = 0; e < module.experts().size(); e++) {
        List<Integer> ranks = new ArrayList<>(module.ranks());
        ranks.set(e, ranks.get(e) + 1);
        if (ranks.get(e) <= 3) {
          larger.add(ranks);
        }
      }
      for (List<Integer> ranks : larger) {
        assertThat(left)
            .isLessThan(sharing.parameters(module.module(), ranks) - module.parameters(sharing));
      }
    }
  }

  private static AllocationPlan within(List<GuidedSelection> selections, long budget) {
    return within(Sharing.NONE, selections, budget);
  }

  private static AllocationPlan within(
      Sharing sharing, List<GuidedSelection> selections, long budget) {
    return learned(sharing).plan(selections, new ParameterBudget(budget));
  }

  private static List<GuidedSelection> selections(long seed) {
    return Plans.selections(Plans.llama(8, 24, 2, 2, 1), 5, 4, new Random(seed)::nextFloat);
  }
}
