package io.guilomo.plan;

import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import java.util.List;

/** Makes an allocation plan without learning one. */
public interface AllocationStrategy {

  /** No budget. */
  long UNLIMITED = 0;

  /**
   * The plan for these modules.
   *
   * @param seed of random strategies; the others record 0
   * @param budget most trainable parameters, {@link #UNLIMITED} for any number; the plan uses as
   *     much of it as the strategy allows
   * @throws UserException if the strategy's smallest plan is over the budget
   */
  AllocationPlan plan(List<LinearModule> modules, long seed, long budget);
}
