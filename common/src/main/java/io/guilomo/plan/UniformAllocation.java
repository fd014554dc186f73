package io.guilomo.plan;

import io.guilomo.backbone.LinearModule;
import java.util.List;

/** The strategy {@code uniform}: the same number of experts of the same rank on every module. */
public record UniformAllocation(int experts, int rank, int topK, double alpha) {

  /** Name of the strategy. */
  public static final String STRATEGY = "uniform";

  /**
   * The plan for these modules; one expert makes it a plain LoRA. The seed is 0: nothing is drawn.
   */
  public AllocationPlan plan(List<LinearModule> modules) {
    List<ModulePlan> plans =
        modules.stream().map(module -> ModulePlan.uniform(module, experts, rank)).toList();
    return new AllocationPlan(STRATEGY, 0, topK, alpha, experts == 1, plans);
  }
}
