package io.guilomo.plan;

import io.guilomo.config.LoraMoeConfig;
import io.guilomo.model.LinearModule;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * The strategy {@code hilo}, after HILO (arXiv 2502.03884), whose exact rule is not public: quarter
 * {@code q} of the layers, from 1 to 4, gets {@code 2q} experts of rank {@code ⌈q r / 4⌉} on every
 * module. A token uses equally many of them in every quarter, which in HILO differs as well. Within
 * a budget {@code r} is the largest that fits.
 *
 * @param rank {@code r} without a budget
 */
public record HiloAllocation(int rank, LoraMoeConfig lora) implements AllocationStrategy {
  public static final String STRATEGY = "hilo";

  @Override
  public AllocationPlan plan(List<LinearModule> modules, long seed, long budget) {
    return Budgets.largestRank(STRATEGY, budget, rank, r -> plan(modules, r));
  }

  private AllocationPlan plan(List<LinearModule> modules, int r) {
    ToIntFunction<LinearModule> quarters = MolaAllocation.quarters(modules);
    List<ModulePlan> plans =
        modules.stream()
            .map(
                module -> {
                  int quarter = 1 + quarters.applyAsInt(module);
                  return ModulePlan.uniform(module, 2 * quarter, (quarter * r + 3) / 4);
                })
            .toList();
    return new AllocationPlan(STRATEGY, 0, lora.form(), false, plans);
  }
}
