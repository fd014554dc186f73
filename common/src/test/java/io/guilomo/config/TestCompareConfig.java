package io.guilomo.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class TestCompareConfig {

  @Test
  void budgetsAreSharesOfTheFullAllocationOrNumbersOfParameters() {
    CompareConfig compare =
        GuilomoConfig.load(null, List.of("compare.budgets=[1, 0.3, 50000, 0.05, 600]")).compare();
    assertThat(compare.budgetParameters(1001)).containsExactly(50L, 300L, 600L, 1001L, 50_000L);
    assertThat(compare.learningRates(3e-4)).containsExactly(3e-4);
    assertThat(
            GuilomoConfig.load(null, List.of("compare.learning-rates=[1e-2, 1e-3]"))
                .compare()
                .learningRates(3e-4))
        .containsExactly(1e-3, 1e-2);
  }

  @Test
  void theSmallestPlanIsLookedForFromTheLargestBudgetDown() {
    CompareConfig halves =
        GuilomoConfig.load(null, List.of("compare.find-smallest=true")).compare();
    assertThat(halves.descendingBudgets(1001, 62)).containsExactly(500L, 250L, 125L, 62L);
    assertThat(halves.descendingBudgets(1001, 501)).isEmpty();
    CompareConfig given =
        GuilomoConfig.load(
                null, List.of("compare.find-smallest=true", "compare.budgets=[0.1, 700, 0.4]"))
            .compare();
    assertThat(given.descendingBudgets(1000, 62)).containsExactly(700L, 400L, 100L);
    assertThatThrownBy(
            () ->
                GuilomoConfig.load(
                    null, List.of("compare.find-smallest=true", "compare.seeds=[1]")))
        .hasMessage(
            "Cannot use guilomo.compare.find-smallest = true: one seed says nothing about chance; give"
                + " compare.seeds two or more");
  }

  @Test
  void axesAreThoseOfTheNetworkWhereNoneAreGiven() {
    Axes own = GuilomoConfig.load(null, List.of("lora-moe.routing=dense")).compare().axes();
    assertThat(own.combinations())
        .containsExactly(new Axes.Combination("dense", "none", List.of()))
        .containsExactly(own.first());
    assertThat(own.first().of("uniform")).isEqualTo("uniform");
    Axes given =
        GuilomoConfig.load(
                null, List.of("compare.routings=[top-k, dense]", "compare.sharings=[shared-a]"))
            .compare()
            .axes();
    assertThat(given.combinations())
        .extracting(combination -> combination.of("uniform"))
        .containsExactly("uniform (top-k)", "uniform (dense)");
    assertThat(given.first().settings())
        .containsExactly("lora-moe.routing=top-k", "lora-moe.sharing=shared-a");
    Axes both =
        GuilomoConfig.load(
                null,
                List.of("compare.routings=[dense, sparsegen]", "compare.sharings=[none, shared-a]"))
            .compare()
            .axes();
    assertThat(both.combinations())
        .hasSize(4)
        .element(3)
        .isEqualTo(new Axes.Combination("sparsegen", "shared-a", List.of("sparsegen", "shared-a")));
    assertThat(both.first().of("single")).isEqualTo("single (dense, none)");
  }

  @Test
  void axesThatCannotBeAreRefused() {
    assertThatThrownBy(() -> GuilomoConfig.load(null, List.of("compare.routings=[topk]")))
        .hasMessage(
            "Cannot use guilomo.compare.routings = [topk]: must be different ones of top-k, dense,"
                + " sparsegen");
    assertThatThrownBy(() -> GuilomoConfig.load(null, List.of("compare.sharings=[none, none]")))
        .hasMessage(
            "Cannot use guilomo.compare.sharings = [none, none]: must be different ones of none,"
                + " shared-a");
    assertThatThrownBy(
            () ->
                GuilomoConfig.load(
                    null, List.of("compare.find-smallest=true", "compare.routings=[dense]")))
        .hasMessage(
            "Cannot use guilomo.compare.find-smallest = true: the plan found becomes the run's, which"
                + " has one routing and one sharing; set lora-moe.routing and lora-moe.sharing instead"
                + " of compare.routings and compare.sharings");
  }

  @Test
  void randomPlansNeedTheStrategyThatDrawsThem() {
    CompareConfig none = GuilomoConfig.load(null, List.of()).compare();
    assertThat(none.with(List.of("uniform"), "random")).containsExactly("uniform");
    CompareConfig some = GuilomoConfig.load(null, List.of("compare.random-plans=3")).compare();
    assertThat(some.with(List.of("uniform"), "random")).containsExactly("uniform", "random");
    assertThat(some.with(List.of("random"), "random")).containsExactly("random");
  }
}
