package io.guilomo.plan;

import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import java.util.List;

/** Makes an allocation plan without learning one. */
public interface AllocationStrategy {

  /** A budget that bounds nothing. */
  long UNLIMITED = 0;

  /**
   * The plan for these modules.
   *
   * @param seed of what is drawn; strategies that draw nothing record 0
   * @param budget most trainable parameters, {@link #UNLIMITED} for any number: the plan comes as
   *     close to it from below as the strategy allows
   * @throws UserException if the strategy's smallest plan is over the budget
   */
  AllocationPlan plan(List<LinearModule> modules, long seed, long budget);
}
