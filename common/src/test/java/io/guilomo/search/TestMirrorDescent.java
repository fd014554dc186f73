package io.guilomo.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.model.CountDistribution;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationStrategy;
import io.guilomo.plan.ExpectedAllocation;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.GuidedSelection;
import io.guilomo.plan.ModulePlan;
import io.guilomo.plan.StartPlan;
import io.guilomo.plan.UniformAllocation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The outer update on objectives whose best plan is known. */
class TestMirrorDescent {

  private static final int EXPERTS = 4;
  private static final int RANK = 6;
  private static final int STEPS = 150;

  /** Of unequal costs, the one that is needed among the dear ones. */
  private static final List<ModuleExperts> MODULES =
      List.of(module(0, 16, 16), module(1, 16, 16), module(2, 48, 16), module(3, 16, 48));

  private static final int NEEDED = 2;
  private static final ExpectedParameters PARAMETERS = new ExpectedParameters(MODULES);

  private static ModuleExperts module(int layer, int in, int out) {
    return ModuleExperts.uniform(
        new LinearModule(layer, "q_proj", in, out), EXPERTS, RANK, 16, RoutingMethod.topK(2));
  }

  /**
   * Gradient by the GSVs of {@code L = Σ_{e < 2} Σ_{i < 3} (1 − S_{e,i})} of the needed module, and
   * noise of the masks' gradients everywhere.
   */
  private static float[] gradient(float[] gsvs, Random random, double noise) {
    float[] gradient = new float[gsvs.length];
    float[] dMasks = new float[gsvs.length];
    int offset = 0;
    for (int m = 0; m < MODULES.size(); m++) {
      for (int v = 0; v <= EXPERTS; v++) {
        int length = v == 0 ? EXPERTS : RANK;
        CountDistribution distribution =
            new CountDistribution(gsvs, offset, length, v == 0 ? 2 : 1);
        for (int i = 0; i < length; i++) {
          boolean needed = m == NEEDED && (v == 1 || v == 2) && i < 3;
          // ∂L/∂ln S falls with S, as the tokens do that an expert gets.
          double size = v == 0 ? distribution.survival(i) : 1;
          dMasks[offset + i] = (float) ((needed ? -1 : 0) + size * noise * random.nextGaussian());
        }
        if (v == 0) {
          distribution.logBackward(dMasks, offset, gradient);
        } else {
          distribution.backward(dMasks, offset, gradient);
        }
        offset += length;
      }
    }
    return gradient;
  }

  private static float[] searched(long budget, long seed, double noise) {
    MirrorDescent descent = new MirrorDescent(MODULES, new ExpectedSettings(budget, STEPS));
    Random random = new Random(seed);
    float[] gsvs = new float[MODULES.size() * (EXPERTS + EXPERTS * RANK)];
    float[] mean = new float[gsvs.length];
    float[] squares = new float[gsvs.length];
    for (int step = 0; step < STEPS; step++) {
      descent.update(step, gsvs, gradient(gsvs, random, noise), mean, squares);
    }
    return gsvs;
  }

  private static AllocationPlan plan(float[] gsvs, long budget) {
    return new ExpectedAllocation(1, new ExpertForm(RoutingMethod.topK(2), Scaling.overRank(16)))
        .plan(GuidedSelection.of(MODULES, gsvs, Map.of()), budget);
  }

  private static List<List<Integer>> ranks(AllocationPlan plan) {
    List<List<Integer>> ranks = new ArrayList<>();
    for (ModulePlan module : plan.modules()) {
      ranks.add(module.experts().stream().map(ExpertPlan::rank).toList());
    }
    return ranks;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void theModuleAndTheRankThatAreNeededAreFoundInNoise(long seed) {
    long budget = (long) PARAMETERS.least() + 4 * 64;
    float[] gsvs = searched(budget, seed, 1);
    assertThat(ranks(plan(gsvs, budget)))
        .containsExactly(List.of(1, 1), List.of(1, 1), List.of(3, 3), List.of(1, 1));
    assertThat(plan(gsvs, budget).parameters()).isEqualTo(budget);
    // The search itself keeps more.
    double room = 2 * PARAMETERS.least();
    assertThat(PARAMETERS.of(gsvs)).isCloseTo(room, within(0.01 * room));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.25, 0.35, 0.6, 0.8})
  void theExpectedParametersMeetTheBudgetWhateverTheGradients(double share) {
    long budget = (long) (share * PARAMETERS.most());
    for (long seed = 0; seed < 5; seed++) {
      assertThat(PARAMETERS.of(searched(budget, seed, 3))).isCloseTo(budget, within(0.01 * budget));
    }
  }

  @Test
  void whereTheSmallestPlanIsOverHalfOfTheLargestParametersHaveNoPrice() {
    List<ModuleExperts> small =
        List.of(
            ModuleExperts.uniform(
                new LinearModule(0, "q_proj", 16, 16), 2, 2, 16, RoutingMethod.topK(2)));
    ExpectedParameters parameters = new ExpectedParameters(small);
    assertThat(parameters.most()).isLessThan(2 * parameters.least());
    long budget = (long) parameters.least();
    float[] gsvs = new float[2 + 2 * 2];
    new MirrorDescent(small, new ExpectedSettings(budget, STEPS))
        .update(0, gsvs, new float[gsvs.length], new float[gsvs.length], new float[gsvs.length]);
    assertThat(parameters.of(gsvs)).isEqualTo(parameters.of(new float[gsvs.length]));
    assertThat(
            new ExpectedAllocation(1, new ExpertForm(RoutingMethod.topK(2), Scaling.overRank(16)))
                .plan(GuidedSelection.of(small, gsvs, Map.of()), budget)
                .parameters())
        .isEqualTo(budget);
  }

  /** The network that routers of 16 inputs learn λ with has 256 · 16 + 256 + 256 + 1. */
  @Test
  void whatRoutersShareIsExpectedOfAnyGsvs() {
    LinearModule query = new LinearModule(0, "q_proj", 16, 16);
    RoutingMethod sparsegen = new RoutingMethod(RoutingMethod.SPARSEGEN, 2);
    ExpectedParameters plain =
        new ExpectedParameters(
            List.of(ModuleExperts.uniform(query, 3, 2, 16, RoutingMethod.topK(2))));
    List<ModuleExperts> modules = List.of(ModuleExperts.uniform(query, 3, 2, 16, sparsegen));
    ExpectedParameters sparse = new ExpectedParameters(modules);
    float[] gsvs = new float[3 + 3 * 2];
    long shared = 4609;
    assertThat(sparse.of(gsvs)).isEqualTo(shared + plain.of(gsvs));
    assertThat(sparse.least()).isEqualTo(shared + plain.least());
    assertThat(sparse.most()).isEqualTo(shared + plain.most());
    assertThatThrownBy(() -> new ExpectedSettings(shared + 95, STEPS).checked(modules))
        .hasMessageEndingWith("the smallest has 4705; raise allocation.budget.parameters");
  }

  @Test
  void withoutABudgetWhatLowersTheLossIsKept() {
    float[] gsvs = searched(AllocationStrategy.UNLIMITED, 1, 0.1);
    List<List<Integer>> ranks = ranks(plan(gsvs, AllocationStrategy.UNLIMITED));
    assertThat(ranks.get(NEEDED).get(0)).isGreaterThanOrEqualTo(3);
    CountDistribution rank =
        new CountDistribution(gsvs, NEEDED * (EXPERTS + EXPERTS * RANK) + EXPERTS, RANK, 1);
    assertThat(rank.survival(2)).isGreaterThan(0.99);
  }

  @Test
  void noiseAloneMovesNothingFar() {
    MirrorDescent descent = new MirrorDescent(MODULES, new ExpectedSettings(0, STEPS));
    Random random = new Random(3);
    float[] gsvs = new float[MODULES.size() * (EXPERTS + EXPERTS * RANK)];
    float[] mean = new float[gsvs.length];
    float[] squares = new float[gsvs.length];
    for (int step = 0; step < STEPS; step++) {
      float[] gradient = new float[gsvs.length];
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] = (float) (1e-3 * random.nextGaussian());
      }
      descent.update(step, gsvs, gradient, mean, squares);
    }
    double sum = 0;
    for (float logit : gsvs) {
      sum += logit * logit / gsvs.length;
    }
    // AdamW at its usual rate would have gone 150 · 3e-3 at most, but as far for any signal.
    assertThat(Math.sqrt(sum)).isLessThan(2);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.6, 2})
  void fromAPlanTheExpectedParametersGoToTheBudgetByEqualFactors(double factor) {
    AllocationPlan plan =
        new UniformAllocation(3, 3, RoutingMethod.topK(2), 16)
            .plan(MODULES.stream().map(ModuleExperts::module).toList());
    float[] gsvs =
        new StartPlan("it", plan)
            .vectors(
                MODULES,
                Estimator.EXPECTED,
                new float[MODULES.size() * (EXPERTS + EXPERTS * RANK)]);
    double begun = PARAMETERS.of(gsvs);
    long budget = (long) (factor * plan.parameters());
    MirrorDescent descent =
        new MirrorDescent(MODULES, new ExpectedSettings(budget, STEPS).startingFrom(MODULES, gsvs));
    float[] none = new float[gsvs.length];
    for (int step = 0; step < STEPS; step++) {
      descent.update(step, gsvs, none, new float[gsvs.length], new float[gsvs.length]);
      double way = Math.min(1, 2.0 * (step + 1) / STEPS);
      double target = begun * Math.pow(budget / begun, way);
      assertThat(PARAMETERS.of(gsvs)).as("step %d", step).isCloseTo(target, within(0.01 * target));
    }
  }

  @Test
  void theExpertsOfAModuleShareADistributionOverRanks() {
    float[] gsvs = searched((long) PARAMETERS.most() / 2, 1, 1);
    List<float[]> first = new ArrayList<>();
    for (GuidedSelection module : GuidedSelection.of(MODULES, gsvs, Map.of())) {
      for (float[] vector : module.rankVectors()) {
        assertThat(vector).isEqualTo(module.rankVectors()[0]);
      }
      first.add(module.rankVectors()[0]);
    }
    assertThat(first).doesNotHaveDuplicates();
  }

  @Test
  void theExpectedParametersOfEqualLogits() {
    // Experts in use: 1, 1, 2/3, 1/3; ranks in use: 3.5.
    assertThat(new ExpectedParameters(List.of(module(0, 16, 48))).of(new float[28]))
        .isCloseTo(3 * (16 + 64 * 3.5), within(1e-4));
    assertThat(PARAMETERS.least()).isEqualTo(2 * (2 * 48 + 112 + 80));
    assertThat(PARAMETERS.most()).isEqualTo(4 * (3 * 16 + 48) + 24 * (2 * 32 + 2 * 64));
  }

  /** Over all numbers of experts and ranks of theirs, by their probabilities. */
  @Test
  void theRowsOfASharedAAreExpectedAsTheLargestRank() {
    LinearModule module = new LinearModule(0, "q_proj", 5, 7);
    ExpertForm form = new ExpertForm(RoutingMethod.topK(2), Sharing.SHARED_A, Scaling.overRank(16));
    List<ModuleExperts> modules = List.of(ModuleExperts.of(module, List.of(3, 2, 4), form));
    Random random = new Random(6);
    float[] gsvs = new float[12];
    for (int i = 0; i < gsvs.length; i++) {
      gsvs[i] = (float) random.nextGaussian();
    }
    CountDistribution experts = new CountDistribution(gsvs, 0, 3, 2);
    CountDistribution[] ranks = {
      new CountDistribution(gsvs, 3, 3, 1),
      new CountDistribution(gsvs, 6, 2, 1),
      new CountDistribution(gsvs, 8, 4, 1)
    };
    double expected = 0;
    for (int a = 0; a < 3; a++) {
      for (int b = 0; b < 2; b++) {
        for (int c = 0; c < 4; c++) {
          List<Integer> drawn = List.of(a + 1, b + 1, c + 1);
          double probability =
              ranks[0].probability(a) * ranks[1].probability(b) * ranks[2].probability(c);
          for (int count = 2; count <= 3; count++) {
            expected +=
                probability
                    * experts.probability(count - 1)
                    * Sharing.SHARED_A.parameters(module, drawn.subList(0, count));
          }
        }
      }
    }
    ExpectedParameters parameters = new ExpectedParameters(modules);
    assertThat(parameters.of(gsvs)).isCloseTo(expected, within(1e-6));
    assertThat(parameters.least()).isEqualTo(5 + 2 * 7 + 2 * 5);
    assertThat(parameters.most()).isEqualTo(4 * 5 + 9 * 7 + 3 * 5);
  }

  @ParameterizedTest
  @EnumSource
  void pricesAreTheDerivativesOfTheExpectedParameters(Sharing sharing) {
    List<ModuleExperts> modules =
        MODULES.stream()
            .map(
                module ->
                    new ModuleExperts(
                        module.module(),
                        module.ranks(),
                        module.scalings(),
                        module.routing(),
                        sharing))
            .toList();
    ExpectedParameters parameters = new ExpectedParameters(modules);
    Random random = new Random(4);
    float[] gsvs = new float[MODULES.size() * (EXPERTS + EXPERTS * RANK)];
    for (int i = 0; i < gsvs.length; i++) {
      gsvs[i] = (float) random.nextGaussian();
    }
    double[] prices = parameters.prices(gsvs);
    int offset = 0;
    for (ModuleExperts module : modules) {
      for (int v = 0; v <= EXPERTS; v++) {
        int length = v == 0 ? EXPERTS : RANK;
        CountDistribution distribution =
            new CountDistribution(gsvs, offset, length, v == 0 ? 2 : 1);
        for (int j = 1; j < length; j++) {
          assertThat(prices[offset + j]).isGreaterThanOrEqualTo(prices[offset + j - 1]);
        }
        double mean = 0;
        for (int j = 0; j < length; j++) {
          mean += distribution.probability(j) * prices[offset + j];
        }
        for (int j = 0; j < length; j++) {
          float[] above = gsvs.clone();
          float[] below = gsvs.clone();
          above[offset + j] += 1f / 64;
          below[offset + j] -= 1f / 64;
          double slope = 32 * (parameters.of(above) - parameters.of(below));
          assertThat(distribution.probability(j) * (prices[offset + j] - mean))
              .as("%s, vector %d, entry %d", module.module(), v, j)
              .isCloseTo(slope, within(0.02));
        }
        offset += length;
      }
    }
  }

  @Test
  void aBudgetBelowTheSmallestPlanIsRefused() {
    assertThatThrownBy(() -> new MirrorDescent(MODULES, new ExpectedSettings(575, STEPS)))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot search for a plan of at most 575 parameters: the smallest has 576; raise"
                + " allocation.budget.parameters");
  }
}
