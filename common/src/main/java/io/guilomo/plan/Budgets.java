package io.guilomo.plan;

import io.guilomo.model.UserException;
import java.util.function.IntFunction;

/** How strategies with one rank everywhere meet a budget. */
final class Budgets {

  private Budgets() {}

  /** The plan of the largest rank that is within the budget; of {@code rank} without a budget. */
  static AllocationPlan largestRank(
      String strategy, long budget, int rank, IntFunction<AllocationPlan> plan) {
    if (budget == AllocationStrategy.UNLIMITED) {
      return plan.apply(rank);
    }
    AllocationPlan smallest = plan.apply(1);
    if (smallest.parameters() > budget) {
      return refuse(strategy, budget, smallest);
    }
    int fits = 1;
    int over = AllocationPlanParser.MAX_RANK + 1;
    while (over - fits > 1) {
      int middle = (fits + over) >>> 1;
      if (plan.apply(middle).parameters() <= budget) {
        fits = middle;
      } else {
        over = middle;
      }
    }
    return plan.apply(fits);
  }

  static AllocationPlan refuse(String strategy, long budget, AllocationPlan smallest) {
    throw new UserException(
        "Cannot keep strategy %s within %d parameters: its smallest plan has %d",
        strategy, budget, smallest.parameters());
  }
}
