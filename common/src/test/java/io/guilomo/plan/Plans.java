package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.family.bert.BertConfig;
import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

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

  /**
   * GuidedSelection Vectors of as many candidates in every module.
   *
   * @param entry draws one entry
   */
  static List<GuidedSelection> selections(
      List<LinearModule> modules, int experts, int ranks, Supplier<Float> entry) {
    List<GuidedSelection> selections = new ArrayList<>();
    for (LinearModule module : modules) {
      float[][] rankVectors = new float[experts][];
      for (int e = 0; e < experts; e++) {
        rankVectors[e] = drawn(ranks, entry);
      }
      selections.add(
          new GuidedSelection(module, drawn(experts, entry), rankVectors, new long[experts]));
    }
    return selections;
  }

  private static float[] drawn(int length, Supplier<Float> entry) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = entry.get();
    }
    return values;
  }

  /** Of experts that two of each token use, scaled by {@code 16 / r}. */
  static ExpertForm form(Sharing sharing) {
    return new ExpertForm(RoutingMethod.topK(2), sharing, Scaling.overRank(16));
  }

  /** Ranks of the first module's experts. */
  static List<Integer> firstRanks(AllocationPlan plan) {
    return plan.modules().get(0).experts().stream().map(ExpertPlan::rank).toList();
  }

  /** Whether every expert of a plan is in another, of the same rank or a higher one. */
  static void assertPartOf(AllocationPlan part, AllocationPlan whole) {
    for (int i = 0; i < part.modules().size(); i++) {
      List<ExpertPlan> kept = part.modules().get(i).experts();
      List<ExpertPlan> all = whole.modules().get(i).experts();
      assertThat(kept).hasSizeLessThanOrEqualTo(all.size());
      for (int e = 0; e < kept.size(); e++) {
        assertThat(kept.get(e).rank()).isLessThanOrEqualTo(all.get(e).rank());
      }
    }
  }
}
