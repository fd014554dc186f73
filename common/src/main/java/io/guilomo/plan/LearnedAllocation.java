package io.guilomo.plan;

import io.guilomo.model.RoutingMethod;
import io.guilomo.model.UserException;
import java.util.List;

/**
 * The strategy {@code guilomo}: what the GuidedSelection Vectors of a search settled on (arXiv
 * 2506.14646).
 *
 * @param seed seed of the search
 */
public record LearnedAllocation(long seed, RoutingMethod routing, double alpha) {

  /** Name of the strategy. */
  public static final String STRATEGY = "guilomo";

  /**
   * {@code max(2, argmax g + 1)} experts per module, of rank {@code argmax h_e + 1}; ties go to the
   * first index.
   */
  public AllocationPlan plan(List<GuidedSelection> selections) {
    return plan(selections, new ParameterBudget(AllocationStrategy.UNLIMITED));
  }

  /**
   * The same, less what is over the budget: entries go in the order of {@code sigmoid} of their
   * GSV's value.
   *
   * @throws UserException if two experts of rank one everywhere are over the budget
   */
  public AllocationPlan plan(List<GuidedSelection> selections, ParameterBudget budget) {
    AllocationPlan whole = whole(selections);
    return budget.fit(
        whole,
        new EntryValues() {
          @Override
          public double expert(int module, int expert) {
            return sigmoid(selections.get(module).expertVector()[expert]);
          }

          @Override
          public double rank(int module, int expert, int index) {
            return sigmoid(selections.get(module).rankVectors()[expert][index]);
          }
        });
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private AllocationPlan whole(List<GuidedSelection> selections) {
    return new AllocationPlan(
        STRATEGY,
        seed,
        routing,
        alpha,
        false,
        selections.stream().map(GuidedSelection::plan).toList());
  }
}
