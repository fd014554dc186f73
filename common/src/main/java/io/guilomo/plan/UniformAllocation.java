package io.guilomo.plan;

import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.UserException;
import java.util.List;

/** The strategy {@code uniform}: the same number of experts of the same rank on every module. */
public record UniformAllocation(int experts, int rank, ExpertForm form) {

  public static final String STRATEGY = "uniform";

  /** With experts that share nothing and are scaled by {@code alpha / rank}. */
  public UniformAllocation(int experts, int rank, RoutingMethod routing, double alpha) {
    this(experts, rank, new ExpertForm(routing, Scaling.overRank(alpha)));
  }

  /** As few experts as a search among this many leaves a module, of rank one. */
  static UniformAllocation smallest(int maxExperts, ExpertForm form) {
    return new UniformAllocation(ModuleExperts.minExperts(maxExperts), 1, form);
  }

  /**
   * The plan for these modules; one expert makes it a plain LoRA. The seed is 0: nothing is drawn.
   */
  public AllocationPlan plan(List<LinearModule> modules) {
    List<ModulePlan> plans =
        modules.stream().map(module -> ModulePlan.uniform(module, experts, rank)).toList();
    return new AllocationPlan(STRATEGY, 0, form, experts == 1, plans);
  }

  /**
   * Within a budget: of all numbers of experts, from the fewest that an allocation leaves a module,
   * and ranks the pair with the most parameters, of several the one with most experts.
   *
   * @param budget most trainable parameters
   * @throws UserException if as few experts as can be, of rank one, are over the budget
   */
  public AllocationPlan within(
      List<LinearModule> modules, long budget, int maxExperts, int maxRank) {
    AllocationPlan best = null;
    long most = 0;
    UniformAllocation smallest = smallest(maxExperts, form);
    for (int e = smallest.experts; e <= maxExperts; e++) {
      for (int r = 1; r <= maxRank; r++) {
        AllocationPlan plan = new UniformAllocation(e, r, form).plan(modules);
        long size = plan.parameters();
        if (size <= budget && size >= most) {
          best = plan;
          most = size;
        }
      }
    }
    return best == null ? Budgets.refuse(STRATEGY, budget, smallest.plan(modules)) : best;
  }
}
