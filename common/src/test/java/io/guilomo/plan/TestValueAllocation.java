package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import io.guilomo.model.UserException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class TestValueAllocation {

  private static final ValueAllocation ALLOCATION =
      new ValueAllocation("svd", 7, new ExpertForm(RoutingMethod.topK(2), Scaling.overRank(16)));

  /** A rank has 7 parameters, an expert 3 more. */
  private static final LinearModule NARROW = new LinearModule(0, "q_proj", 3, 4);

  /** A rank has 70 parameters, an expert 30 more. */
  private static final LinearModule WIDE = new LinearModule(0, "up_proj", 30, 40);

  @Test
  void whatIsWorthMostForItsParametersComesFirst() {
    List<CandidateValues> values =
        List.of(
            new CandidateValues(
                NARROW, List.of(expert(0, 9, 6, 2), expert(0, 8, 1), expert(0, 5, 4))),
            // Worth more, but not for its parameters.
            new CandidateValues(WIDE, List.of(expert(0, 50, 45), expert(0, 40, 11))));
    long least = 2 * 10 + 2 * 100;
    // By value the narrow module's experts are 17, 9 and 9, of which two are there in any case.
    // Ratios: 6/7, then 45/70, the third expert's 9/17, 2/7, 11/70 and 1/7.
    assertThat(ranks(values, least)).containsExactly(List.of(1, 1), List.of(1, 1));
    assertThat(ranks(values, least + 6)).containsExactly(List.of(1, 1), List.of(1, 1));
    assertThat(ranks(values, least + 7)).containsExactly(List.of(2, 1), List.of(1, 1));
    assertThat(ranks(values, least + 76)).containsExactly(List.of(2, 1), List.of(1, 1));
    assertThat(ranks(values, least + 77)).containsExactly(List.of(2, 1), List.of(2, 1));
    assertThat(ranks(values, least + 87)).containsExactly(List.of(2, 1, 1), List.of(2, 1));
    assertThat(ranks(values, least + 94)).containsExactly(List.of(2, 1, 2), List.of(2, 1));
    assertThat(ranks(values, least + 101)).containsExactly(List.of(3, 1, 2), List.of(2, 1));
    assertThat(ranks(values, least + 171)).containsExactly(List.of(3, 1, 2), List.of(2, 2));
    assertThat(ranks(values, Long.MAX_VALUE)).containsExactly(List.of(3, 2, 2), List.of(2, 2));
  }

  @Test
  void anExpertWhoseFirstRankIsWorthLittleComesForItsLaterOnes() {
    // The third expert's row of the router is worth −6: what the others do for its tokens. Alone
    // its first rank is worth −1 for 10 parameters; with the second and third 9 for 24.
    List<CandidateValues> values =
        List.of(
            new CandidateValues(
                NARROW, List.of(expert(0, 60, 3, 1), expert(0, 40, 2.8, 1), expert(-6, 5, 5, 5))));
    // 3/7 and 2.8/7 come before 9/24, that before 1/7: no pool of ratio 1/7 is worth more.
    assertThat(ranks(values, 20 + 14)).containsExactly(List.of(2, 2));
    assertThat(ranks(values, 20 + 14 + 9)).containsExactly(List.of(2, 2));
    assertThat(ranks(values, 20 + 14 + 10)).as("cut inside").containsExactly(List.of(2, 2, 1));
    assertThat(ranks(values, 20 + 14 + 24)).containsExactly(List.of(2, 2, 3));
    assertThat(ranks(values, 20 + 14 + 24 + 7)).containsExactly(List.of(3, 2, 3));
  }

  @Test
  void budgetsBelowTheSmallestPlanAreRefused() {
    List<CandidateValues> values =
        List.of(new CandidateValues(NARROW, List.of(expert(0, 1), expert(0, 1))));
    assertThatThrownBy(() -> ALLOCATION.plan(values, 19))
        .isInstanceOf(UserException.class)
        .hasMessage("Cannot keep strategy svd within 19 parameters: its smallest plan has 20");
    assertThatThrownBy(
            () -> new CandidateValues(NARROW, List.of(expert(0, 1), expert(0, Double.NaN))))
        .isInstanceOf(UserException.class)
        .hasMessage("Cannot allocate layer 0 q_proj: the value of an expert is NaN");
  }

  @Property(tries = 300)
  void plansAreNestedAndFillTheirBudgets(
      @ForAll long seed,
      @ForAll @DoubleRange(min = 0, max = 1) double share,
      @ForAll @DoubleRange(min = 0, max = 1) double lesser) {
    List<CandidateValues> values = values(seed);
    long least = parameters(values, 2, 1);
    long most = parameters(values, 4, 3);
    long budget = least + (long) (share * (most - least));
    AllocationPlan plan = ALLOCATION.plan(values, budget);
    assertThat(plan.parameters()).isLessThanOrEqualTo(budget).isGreaterThan(budget - 200);
    AllocationPlan smaller =
        ALLOCATION.plan(values, least + (long) (share * lesser * (most - least)));
    for (int m = 0; m < values.size(); m++) {
      // Which expert is which does not matter to the trained model.
      List<Integer> kept = sorted(smaller.modules().get(m));
      List<Integer> all = sorted(plan.modules().get(m));
      assertThat(kept).hasSizeGreaterThanOrEqualTo(2).hasSizeLessThanOrEqualTo(all.size());
      for (int e = 0; e < kept.size(); e++) {
        assertThat(kept.get(e)).isPositive().isLessThanOrEqualTo(all.get(e));
      }
    }
  }

  /** Few different values, so that there are equal ones, and negative ones. */
  private static List<CandidateValues> values(long seed) {
    Random random = new Random(seed);
    List<CandidateValues> values = new ArrayList<>();
    for (int m = 0; m < 3; m++) {
      LinearModule module =
          new LinearModule(m, "q_proj", 1 + random.nextInt(60), 1 + random.nextInt(60));
      List<CandidateValues.Expert> experts = new ArrayList<>();
      for (int e = 0; e < 4; e++) {
        double[] ranks = random.ints(3, -3, 6).asDoubleStream().toArray();
        experts.add(CandidateValues.Expert.of(random.nextInt(12) - 3, ranks, 0));
      }
      values.add(new CandidateValues(module, experts));
    }
    return values;
  }

  private static long parameters(List<CandidateValues> values, int experts, int rank) {
    return values.stream()
        .mapToLong(own -> ModulePlan.uniform(own.module(), experts, rank).parameters(Sharing.NONE))
        .sum();
  }

  private static List<Integer> sorted(ModulePlan plan) {
    return plan.experts().stream().map(ExpertPlan::rank).sorted((a, b) -> b - a).toList();
  }

  private static CandidateValues.Expert expert(double own, double... ranks) {
    return new CandidateValues.Expert(own, ranks, 0);
  }

  private static List<List<Integer>> ranks(List<CandidateValues> values, long budget) {
    return ALLOCATION.plan(values, budget).modules().stream()
        .map(plan -> plan.experts().stream().map(ExpertPlan::rank).toList())
        .toList();
  }

  @Test
  void ranksAreSortedByTheirValues() {
    CandidateValues.Expert expert = CandidateValues.Expert.of(4, new double[] {1, 5, -2}, 3);
    assertThat(expert.ranks()).containsExactly(5, 1, -2);
    assertThat(expert.own()).isZero();
    assertThat(Arrays.stream(expert.ranks()).sum()).isEqualTo(expert.whole());
  }
}
