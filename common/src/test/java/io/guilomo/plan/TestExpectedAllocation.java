package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class TestExpectedAllocation {

  private static final ExpectedAllocation EXPECTED =
      new ExpectedAllocation(
          7,
          new ExpertForm(
              RoutingMethod.topK(2), new Scaling(Scaling.Rule.ALPHA_OVER_SQRT_RANK, 16)));

  /**
   * One module of 3 + 4 features. {@code S} of the third expert is 0.6; ranks are in use with 1,
   * 0.9, 0.2 (first expert), 1, 0.52, 0.4 (second), 1, 0.7, 0.1 (third, times 0.6).
   */
  private static List<GuidedSelection> threeExperts() {
    return List.of(
        new GuidedSelection(
            new LinearModule(0, "q_proj", 3, 4),
            logs(1, 0.4, 0.6),
            new float[][] {logs(0.1, 0.7, 0.2), logs(0.48, 0.12, 0.4), logs(0.3, 0.6, 0.1)},
            new long[] {5, 6, 7}));
  }

  @Test
  void theEntriesMostLikelyToBeInUseAreKept() {
    // A rank has 7 parameters, an expert 3 more.
    List<GuidedSelection> selections = threeExperts();
    assertThat(Plans.firstRanks(EXPECTED.plan(selections, 20))).containsExactly(1, 1);
    assertThat(Plans.firstRanks(EXPECTED.plan(selections, 27))).containsExactly(2, 1);
    assertThat(Plans.firstRanks(EXPECTED.plan(selections, 36)))
        .as("no room for 10")
        .containsExactly(2, 1);
    assertThat(Plans.firstRanks(EXPECTED.plan(selections, 37))).containsExactly(2, 1, 1);
    assertThat(Plans.firstRanks(EXPECTED.plan(selections, 44))).containsExactly(2, 2, 1);
    assertThat(Plans.firstRanks(EXPECTED.plan(selections, 51))).containsExactly(2, 2, 2);
    assertThat(Plans.firstRanks(EXPECTED.plan(selections, 1000))).containsExactly(3, 3, 3);
    // Half and more.
    AllocationPlan plan = EXPECTED.plan(selections, AllocationStrategy.UNLIMITED);
    assertThat(Plans.firstRanks(plan)).containsExactly(2, 2, 1);
    assertThat(plan.strategy()).isEqualTo("guilomo");
    assertThat(plan.seed()).isEqualTo(7);
    assertThat(plan.form()).isEqualTo(EXPECTED.form());
    assertThat(plan.modules().get(0).experts().get(2)).isEqualTo(new ExpertPlan(1, 7));
    assertThat(EXPECTED.plan(selections, 20).modules().get(0).unallocatedRanks())
        .as("the median rank of the candidate left out")
        .containsExactly(2);
    assertThatThrownBy(() -> EXPECTED.plan(selections, 19))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot keep the plan within 19 parameters: its smallest form has 20");
  }

  @Property(tries = 200)
  void aPlanMeetsItsBudgetAndASmallerBudgetsPlanIsPartOfALargerOnes(
      @ForAll long seed,
      @ForAll @DoubleRange(min = 0, max = 1) double share,
      @ForAll @DoubleRange(min = 0, max = 1) double lesser) {
    List<GuidedSelection> selections = selections(Plans.llama(8, 24, 2, 2, 1), 5, 4, seed);
    long least = size(selections, 2, 1);
    long most = size(selections, 5, 4);
    long budget = least + (long) (share * (most - least));
    AllocationPlan plan = EXPECTED.plan(selections, budget);
    assertThat(plan.parameters()).isLessThanOrEqualTo(budget);
    long dearest =
        selections.stream()
            .mapToLong(own -> 2L * own.module().inFeatures() + own.module().outFeatures())
            .max()
            .orElseThrow();
    assertThat(plan.parameters()).isGreaterThan(budget - dearest);
    AllocationPlan smaller =
        EXPECTED.plan(selections, least + (long) (share * lesser * (most - least)));
    Plans.assertPartOf(smaller, plan);
  }

  /** The network that routers learn λ with has 256 · 3 + 256 + 256 + 1. */
  @Test
  void whatRoutersShareCounts() {
    ExpectedAllocation sparse =
        new ExpectedAllocation(
            7, new ExpertForm(new RoutingMethod(RoutingMethod.SPARSEGEN, 2), Scaling.overRank(16)));
    long shared = 1281;
    AllocationPlan plan = sparse.plan(threeExperts(), shared + 27);
    assertThat(Plans.firstRanks(plan)).containsExactly(2, 1);
    assertThat(plan.parameters()).isEqualTo(shared + 27);
    assertThatThrownBy(() -> sparse.plan(threeExperts(), shared + 19))
        .hasMessage("Cannot keep the plan within 1300 parameters: its smallest form has 1301");
  }

  /** A row of a shared {@code A} has its 3 parameters with the first expert that reads it. */
  @Test
  void aSharedACostsOnce() {
    List<GuidedSelection> selections = threeExperts();
    ExpectedAllocation shared = new ExpectedAllocation(7, Plans.form(Sharing.SHARED_A));
    // Of rank one: 3 + 8 + 6. The others cost 7, 7 (an expert), 4, 4, 4, 7, 4.
    assertThat(Plans.firstRanks(shared.plan(selections, 17))).containsExactly(1, 1);
    assertThat(Plans.firstRanks(shared.plan(selections, 23))).containsExactly(1, 1);
    assertThat(Plans.firstRanks(shared.plan(selections, 24))).containsExactly(2, 1);
    assertThat(Plans.firstRanks(shared.plan(selections, 31))).containsExactly(2, 1, 1);
    assertThat(Plans.firstRanks(shared.plan(selections, 35))).containsExactly(2, 2, 1);
    assertThat(Plans.firstRanks(shared.plan(selections, 39))).containsExactly(2, 2, 2);
    AllocationPlan plan = shared.plan(selections, 45);
    assertThat(Plans.firstRanks(plan)).containsExactly(2, 2, 2);
    assertThat(plan.parameters()).isEqualTo(39);
    assertThat(Plans.firstRanks(shared.plan(selections, 46))).containsExactly(2, 3, 2);
    assertThat(shared.plan(selections, 1000).parameters()).isEqualTo(3 * 3 + 9 * 4 + 3 * 3);
    assertThatThrownBy(() -> shared.plan(selections, 16))
        .hasMessage("Cannot keep the plan within 16 parameters: its smallest form has 17");
  }

  @Test
  void onARealModelABudgetIsMetWithinOnePercent() {
    List<GuidedSelection> selections = selections(Plans.llama(64, 172, 5, 8, 4), 8, 8, 5);
    long most = size(selections, 8, 8);
    for (double share : new double[] {0.05, 0.12, 0.3, 0.6}) {
      long budget = (long) (share * most);
      assertThat(EXPECTED.plan(selections, budget).parameters())
          .isBetween((long) (0.99 * budget), budget);
    }
  }

  @Test
  void vectorsThatAreNotFiniteAreRefused() {
    GuidedSelection selection =
        new GuidedSelection(
            Plans.QUERY, new float[] {0, 0}, new float[][] {{0, Float.NaN}, {0, 0}}, new long[2]);
    assertThatThrownBy(() -> EXPECTED.plan(List.of(selection), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot allocate layer 0 q_proj: an entry of its GSVs is NaN");
  }

  private static long size(List<GuidedSelection> selections, int experts, int rank) {
    return new UniformAllocation(experts, rank, RoutingMethod.topK(2), 16)
        .plan(selections.stream().map(GuidedSelection::module).toList())
        .parameters();
  }

  /** Some entries are alike, so that they are equally likely. */
  private static List<GuidedSelection> selections(
      List<LinearModule> modules, int experts, int ranks, long seed) {
    Random random = new Random(seed);
    return Plans.selections(
        modules, experts, ranks, () -> random.nextInt(4) == 0 ? 0 : 4 * random.nextFloat() - 2);
  }

  private static float[] logs(double... probabilities) {
    float[] logs = new float[probabilities.length];
    for (int i = 0; i < logs.length; i++) {
      logs[i] = (float) Math.log(probabilities[i]);
    }
    return logs;
  }
}
