package io.guilomo.plan;

import io.guilomo.config.LoraMoeConfig;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import java.util.List;

/**
 * The strategy {@code single}: one expert on every module, a plain LoRA (arXiv 2106.09685). Within
 * a budget, of the largest rank that fits.
 *
 * @param rank without a budget
 */
public record SingleAllocation(int rank, LoraMoeConfig lora) implements AllocationStrategy {

  public static final String STRATEGY = "single";

  @Override
  public AllocationPlan plan(List<LinearModule> modules, long seed, long budget) {
    return Budgets.largestRank(
        STRATEGY,
        budget,
        rank,
        r ->
            new AllocationPlan(
                STRATEGY,
                0,
                new ExpertForm(RoutingMethod.topK(1), lora.form().sharing(), lora.form().scaling()),
                true,
                modules.stream().map(module -> ModulePlan.uniform(module, 1, r)).toList()));
  }
}
