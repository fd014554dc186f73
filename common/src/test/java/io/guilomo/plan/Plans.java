package io.guilomo.plan;

import io.guilomo.family.bert.BertConfig;
import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import java.util.List;

/** Plans and modules that tests share. */
class Plans {
  static final LinearModule QUERY = new LinearModule(0, "q_proj", 4, 6);
  static final LinearModule DOWN = new LinearModule(1, "down_proj", 10, 4);

  private Plans() {}

  /** Ranks 3, 8 on one module; 1, 2, 4 and an unallocated 7 on the other. */
  static AllocationPlan learned() {
    return new AllocationPlan(
        "guilomo",
        -42,
        RoutingMethod.topK(2),
        16,
        false,
        List.of(
            new ModulePlan(QUERY, List.of(new ExpertPlan(3, 512), new ExpertPlan(8, 1L << 40))),
            new ModulePlan(
                DOWN,
                List.of(ExpertPlan.ofRank(1), new ExpertPlan(2, 9), new ExpertPlan(4, 0)),
                List.of(7))));
  }

  static List<LinearModule> llama(
      int hidden, int intermediate, int layers, int heads, int keyValueHeads) {
    return new LlamaConfig(
            hidden,
            intermediate,
            layers,
            heads,
            keyValueHeads,
            hidden / heads,
            32000,
            4096,
            1e-5f,
            null,
            0,
            false)
        .linearModules();
  }

  static List<LinearModule> bert() {
    return new BertConfig(8, 16, 1, 2, 100, 64, 2, 1e-12f).linearModules();
  }
}
