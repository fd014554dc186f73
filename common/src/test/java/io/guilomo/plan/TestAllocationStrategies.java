package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.AllocationConfig;
import io.guilomo.config.LoraMoeConfig;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestAllocationStrategies {

  private static final AllocationConfig ALLOCATION =
      new AllocationConfig("uniform", 0, "", 5, 8, 0);
  private static final List<LinearModule> LLAMA2 = Plans.llama(4096, 11008, 32, 32, 32);

  @Test
  void withoutABudgetUniformIsTheConfiguredPlan() {
    AllocationPlan plan = plan("uniform", LLAMA2, 0);
    assertThat(plan.parameters()).isEqualTo(105_635_840L);
    assertThat(plan.modules()).allSatisfy(module -> assertThat(module.experts()).hasSize(5));
  }

  @ParameterizedTest
  @ValueSource(strings = {"mola-2-4-6-8", "mola-8-6-4-2", "mola-8-2-2-8", "mola-5-5-5-5"})
  void molaHasAMeanOfFiveExpertsOfRankEight(String name) {
    // arXiv 2402.08562: all shapes have the same number of experts.
    AllocationPlan plan = plan(name, LLAMA2, 0);
    assertThat(plan.strategy()).isEqualTo(name);
    assertThat(plan.parameters()).isEqualTo(105_635_840L);
    assertThat(plan.seed()).isZero();
  }

  @Test
  void molaGivesEachQuarterOfTheLayersItsExperts() {
    List<LinearModule> six = Plans.llama(8, 16, 6, 2, 2);
    AllocationPlan plan = plan("mola-2-4-6-8", six, 0);
    assertThat(
            plan.modules().stream()
                .filter(planned -> planned.module().name().equals("q_proj"))
                .map(planned -> planned.experts().size()))
        .containsExactly(2, 2, 4, 6, 6, 8);
  }

  @Test
  void hiloGivesEachQuarterOfTheLayersItsExpertsAndRanks() {
    List<LinearModule> six = Plans.llama(8, 16, 6, 2, 2);
    assertThat(hilo(six, 0)).containsExactly("2×2", "2×2", "4×4", "6×6", "6×6", "8×8");
    AllocationPlan least =
        plan(
            "hilo", six, AllocationStrategies.leastParameters("hilo", six, ALLOCATION, lora(8, 8)));
    assertThat(least.totalRank()).isEqualTo(least.totalExperts());
  }

  private static List<String> hilo(List<LinearModule> modules, long budget) {
    return plan("hilo", modules, budget).modules().stream()
        .filter(planned -> planned.module().name().equals("q_proj"))
        .map(planned -> planned.experts().size() + "×" + planned.experts().get(0).rank())
        .toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"uniform", "mola-2-4-6-8", "mola-8-2-2-8", "hilo", "random", "single"})
  void withinABudgetNothingMoreFits(String name) {
    List<LinearModule> modules = Plans.llama(64, 172, 4, 4, 2);
    long budget = 100_000;
    AllocationPlan plan = plan(name, modules, budget);
    assertThat(plan.parameters()).isLessThanOrEqualTo(budget);
    // One rank more everywhere would not fit.
    long features =
        modules.stream().mapToLong(module -> module.inFeatures() + module.outFeatures()).sum();
    assertThat(plan.parameters()).isGreaterThan(budget - 8 * features);
    assertThat(plan).isEqualTo(plan(name, modules, budget));
  }

  @ParameterizedTest
  @ValueSource(strings = {"uniform", "mola-2-4-6-8", "mola-8-2-2-8", "hilo", "random", "single"})
  void belowTheSmallestPlanThereIsNone(String name) {
    List<LinearModule> modules = Plans.llama(64, 172, 4, 4, 2);
    long least = AllocationStrategies.leastParameters(name, modules, ALLOCATION, lora(8, 8));
    assertThat(plan(name, modules, least).parameters()).isEqualTo(least);
    assertThatThrownBy(() -> plan(name, modules, least - 1))
        .hasMessageStartingWith("Cannot keep ")
        .hasMessageEndingWith(" has " + least);
  }

  @Test
  void aSingleLoraIsOfTheLargestRankThatFits() {
    List<LinearModule> modules = List.of(new LinearModule(0, "query", 10, 20));
    AllocationPlan plan = plan("single", modules, 10 + 30 * 11 + 29);
    assertThat(plan.singleLora()).isTrue();
    assertThat(plan.rank(modules.get(0), 0)).isEqualTo(11);
    assertThat(plan.routing().topK()).isEqualTo(1);
  }

  @Test
  void aRandomPlanDependsOnItsSeed() {
    AllocationStrategy random = AllocationStrategies.of("random", ALLOCATION, lora(8, 8));
    AllocationPlan plan = random.plan(LLAMA2, 1, 0);
    assertThat(plan).isEqualTo(random.plan(LLAMA2, 1, 0));
    assertThat(plan).isNotEqualTo(random.plan(LLAMA2, 2, 0));
    assertThat(plan.seed()).isEqualTo(1);
    // Experts: max(2, uniform on 1 to 8), mean 37/8; ranks: uniform on 1 to 8, mean 4.5.
    assertThat((double) plan.totalExperts() / LLAMA2.size()).isBetween(4.1, 5.1);
    assertThat((double) plan.totalRank() / plan.totalExperts()).isBetween(4.2, 4.8);
  }

  @Test
  void budgetsThatNothingFitsAreRefused() {
    List<LinearModule> modules = List.of(new LinearModule(0, "query", 10, 20));
    assertThatThrownBy(() -> plan("uniform", modules, 79))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot keep strategy uniform within 79 parameters: its smallest plan has 80");
    assertThatThrownBy(() -> plan("mola-4-4-6-8", modules, 159))
        .hasMessage(
            "Cannot keep strategy mola-4-4-6-8 within 159 parameters: its smallest plan has 160");
    assertThatThrownBy(() -> plan("random", modules, 79))
        .hasMessage("Cannot keep the plan within 79 parameters: its smallest form has 80");
  }

  @ParameterizedTest
  @ValueSource(strings = {"uniform", "mola-2-4-6-8", "hilo", "random", "single"})
  void everyStrategyScalesAsTheConfigurationSays(String name) {
    Scaling scaling = new Scaling(Scaling.Rule.ALPHA_OVER_SQRT_RANK, 6);
    LoraMoeConfig lora =
        new LoraMoeConfig(List.of(), 8, 8, new ExpertForm(RoutingMethod.topK(2), scaling), 0, 0);
    AllocationStrategy strategy = AllocationStrategies.of(name, ALLOCATION, lora);
    assertThat(strategy.plan(LLAMA2, 1, 0).scaling()).isEqualTo(scaling);
    assertThat(strategy.plan(LLAMA2, 1, 50_000_000).scaling()).isEqualTo(scaling);
  }

  @ParameterizedTest
  @ValueSource(strings = {"uniform", "mola-2-4-6-8", "hilo", "random", "single"})
  void everyStrategySharesAsTheConfigurationSays(String name) {
    LoraMoeConfig lora = new LoraMoeConfig(List.of(), 8, 8, Plans.form(Sharing.SHARED_A), 0, 0);
    AllocationStrategy strategy = AllocationStrategies.of(name, ALLOCATION, lora);
    assertThat(strategy.plan(LLAMA2, 1, 0).sharing()).isEqualTo(Sharing.SHARED_A);
    AllocationPlan plan = strategy.plan(LLAMA2, 1, 50_000_000);
    assertThat(plan.sharing()).isEqualTo(Sharing.SHARED_A);
    assertThat(plan.parameters()).isBetween(30_000_000L, 50_000_000L);
    assertThat(AllocationStrategies.of(name, ALLOCATION, lora(8, 8)).plan(LLAMA2, 1, 50_000_000))
        .as("has room for fewer ranks")
        .satisfies(own -> assertThat(own.totalRank()).isLessThanOrEqualTo(plan.totalRank()));
  }

  @Test
  void unknownStrategiesAreRefused() {
    assertThatThrownBy(() -> AllocationStrategies.check("unifrom"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot use allocation strategy unifrom: expected one of guilomo, uniform, mola-2-4-6-8,"
                + " mola-8-6-4-2, mola-8-2-2-8, mola-5-5-5-5, hilo, alphalora, usage, svd, marginal,"
                + " fisher, random, single, file");
    assertThatThrownBy(() -> AllocationStrategies.check("mola-2-x"))
        .hasMessage(
            "Cannot use allocation strategy mola-2-x: expected a shape such as mola-2-4-6-8");
    assertThatThrownBy(() -> plan("mola-2-4", LLAMA2, 0))
        .hasMessage("Cannot use MoLA's shape [2, 4]: it must be four numbers of at least 2");
    assertThatThrownBy(() -> plan("guilomo", LLAMA2, 0))
        .hasMessage("Cannot make a plan of strategy guilomo of the model's shape alone");
  }

  static LoraMoeConfig lora(int maxExperts, int maxRank) {
    return new LoraMoeConfig(
        List.of(),
        maxExperts,
        maxRank,
        new ExpertForm(RoutingMethod.topK(2), Scaling.overRank(16)),
        0,
        0);
  }

  private static AllocationPlan plan(String name, List<LinearModule> modules, long budget) {
    return AllocationStrategies.of(name, ALLOCATION, lora(8, 8)).plan(modules, 42, budget);
  }
}
