package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.ModulePlan;
import io.guilomo.plan.UniformAllocation;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TestAllocationPlanPrinter {

  @Test
  void oneLineALayerAndOneColumnAModule() {
    AllocationPlan plan =
        new AllocationPlan(
            "guilomo",
            42,
            RoutingMethod.topK(2),
            16,
            false,
            List.of(
                planned(0, "q_proj", 64, 64, 3, 8),
                planned(0, "down_proj", 128, 64, 1, 1, 2, 4, 8, 8, 8, 8, 8, 8),
                planned(10, "q_proj", 64, 64, 2, 2, 4)));
    // 11·128 + 2·64 = 1536; 56·192 + 10·128 = 12,032; 8·128 + 3·64 = 1216.
    // Uniform: twice 64·128 + 8·64 = 8704, and 64·192 + 8·128 = 13,312.
    assertThat(AllocationPlanPrinter.print(plan))
        .isEqualTo(
            """
            layer   q_proj  down_proj
                0    2×5.5     10×5.6
               10    3×2.7          -
             mean  2.5×3.8   10.0×5.6
            guilomo, seed 42: 15 experts of mean rank 5.00 on 3 modules
            14,784 trainable parameters, 48.1 % of the 30,720 of 8 experts of rank 8 everywhere
            """);
  }

  @Test
  void theReadersLocaleChangesNothing() {
    List<LinearModule> modules =
        IntStream.range(0, 2)
            .mapToObj(layer -> new LinearModule(layer, "query", 384, 384))
            .toList();
    AllocationPlan plan = new UniformAllocation(8, 8, RoutingMethod.topK(2), 16).plan(modules);
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.GERMANY);
      assertThat(AllocationPlanPrinter.print(plan))
          .isEqualTo(
              """
              layer    query
                  0    8×8.0
                  1    8×8.0
               mean  8.0×8.0
              uniform, seed 0: 16 experts of mean rank 8.00 on 2 modules
              104,448 trainable parameters, 100.0 % of the 104,448 of 8 experts of rank 8 everywhere
              """);
    } finally {
      Locale.setDefault(before);
    }
  }

  private static ModulePlan planned(int layer, String name, int in, int out, Integer... ranks) {
    return new ModulePlan(
        new LinearModule(layer, name, in, out), Stream.of(ranks).map(ExpertPlan::ofRank).toList());
  }
}
