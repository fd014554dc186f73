package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.config.AllocationConfig;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.LoraMoeConfig;
import io.guilomo.model.LinearModule;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TestAlphaLoraAllocation {

  private static final LoraMoeConfig LORA = GuilomoConfig.load(null, List.of()).loraMoe();

  @Test
  void theExponentIsHillsEstimateOverTheUpperHalf() {
    // n = 4, k = 2: 1 + 2 / (ln(8/2) + ln(4/2)) = 1 + 2 / (3 ln 2).
    assertThat(HeavyTail.exponent(new double[] {1, 2, 4, 8}))
        .isCloseTo(1 + 2 / (3 * Math.log(2)), within(1e-12));
    // n = 5, k = 2: the third of the ascending eigenvalues is the threshold.
    assertThat(HeavyTail.exponent(new double[] {0, 0, 3, 9, 27}))
        .isCloseTo(1 + 2 / (3 * Math.log(3)), within(1e-12));
    assertThatThrownBy(() -> HeavyTail.exponent(new double[] {0, 0, 4, 8}))
        .hasMessage("Cannot estimate the tail of 4 eigenvalues, the upper half from 0.0");
    assertThatThrownBy(() -> HeavyTail.exponent(new double[] {2, 2, 2, 2}))
        .hasMessage(
            "Cannot estimate the tail of 4 eigenvalues: the upper half are equal or not finite");
  }

  @Test
  void layersGetExpertsInProportionToThePowerOfTheirMeanExponent() {
    // Means 1, 2 and 3; to the power of 2.5: 1, 5.657 and 15.588, of 22.245; of 15 experts 0.674,
    // 3.815 and 10.511: rounded down 0, 3 and 10, and the two largest remainders get one more.
    List<LinearModule> modules = Plans.llama(8, 16, 3, 2, 2);
    Map<LinearModule, Double> exponents = new HashMap<>();
    int i = 0;
    for (LinearModule module : modules) {
      exponents.put(module, module.layer() + 1 + (i++ % 7 - 3) * 0.1);
    }
    AllocationPlan plan =
        new AlphaLoraAllocation(exponents, 5, 8, LORA)
            .plan(modules, 0, AllocationStrategy.UNLIMITED);
    assertThat(plan.modules())
        .allSatisfy(
            own ->
                assertThat(own.experts())
                    .hasSize(List.of(1, 4, 10).get(own.module().layer()))
                    .allMatch(expert -> expert.rank() == 8));
    assertThat(plan.strategy()).isEqualTo("alphalora");
    assertThat(plan.singleLora()).isTrue();
    assertThat(plan.topK(modules.get(0))).isEqualTo(1);
    assertThat(plan.topK(modules.get(20))).isEqualTo(2);

    AllocationPlan smallest =
        new AlphaLoraAllocation(exponents, 5, 1, LORA)
            .plan(modules, 0, AllocationStrategy.UNLIMITED);
    AllocationConfig five = GuilomoConfig.load(null, List.of("allocation.experts=5")).allocation();
    assertThat(AllocationStrategies.leastParameters("alphalora", modules, five, LORA))
        .isEqualTo(smallest.parameters());

    long budget = plan.parameters() / 2;
    AllocationPlan within = new AlphaLoraAllocation(exponents, 5, 8, LORA).plan(modules, 0, budget);
    assertThat(within.totalExperts()).isEqualTo(plan.totalExperts());
    assertThat(within.parameters()).isLessThanOrEqualTo(budget);
    assertThat(within.rank(modules.get(0), 0)).isEqualTo(3);
  }

  @Test
  void nobodyIsLeftWithoutAnExpert() {
    assertThat(AlphaLoraAllocation.apportion(new double[] {100, 1, 1, 100}, 8))
        .containsExactly(3, 1, 1, 3);
    assertThat(AlphaLoraAllocation.apportion(new double[] {1, 1, 1}, 3)).containsExactly(1, 1, 1);
    assertThat(AlphaLoraAllocation.apportion(new double[] {1, 1, 1}, 5)).containsExactly(2, 2, 1);
  }
}
