package io.guilomo.plan;

import io.guilomo.model.ExpertForm;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.UserException;
import java.util.List;

/**
 * The strategy {@code guilomo}: what the GuidedSelection Vectors of a search settled on (arXiv
 * 2506.14646).
 *
 * @param seed seed of the search
 */
public record LearnedAllocation(long seed, ExpertForm form) {

  public static final String STRATEGY = "guilomo";

  /** With experts that share nothing and are scaled by {@code alpha / rank}. */
  public LearnedAllocation(long seed, RoutingMethod routing, double alpha) {
    this(seed, new ExpertForm(routing, Scaling.overRank(alpha)));
  }

  /**
   * {@code max(2, argmax g + 1)} experts per module, or one if there is one candidate, of rank
   * {@code argmax h_e + 1}; ties go to the first index.
   */
  public AllocationPlan plan(List<GuidedSelection> selections) {
    return plan(selections, new ParameterBudget(AllocationStrategy.UNLIMITED));
  }

  /**
   * The same, less what is over the budget: entries go in the order of {@code sigmoid} of their
   * GSV's value.
   *
   * @throws UserException if as few experts as can be, of rank one, are over the budget
   */
  public AllocationPlan plan(List<GuidedSelection> selections, ParameterBudget budget) {
    List<ModulePlan> modules = selections.stream().map(GuidedSelection::plan).toList();
    AllocationPlan whole = AllocationPlan.chosen(STRATEGY, seed, form, modules);
    return budget.fit(
        whole,
        (module, expert, index) -> {
          GuidedSelection own = selections.get(module);
          return sigmoid(index < 0 ? own.expertVector()[expert] : own.rankVectors()[expert][index]);
        });
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }
}
