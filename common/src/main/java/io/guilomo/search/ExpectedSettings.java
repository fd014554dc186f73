package io.guilomo.search;

import io.guilomo.model.ModuleExperts;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.List;

/**
 * Settings of a search whose GSVs are distributions over counts.
 *
 * @param budget most trainable parameters of the plan; 0: as many as lower the validation loss
 * @param steps of the whole search
 * @param initialParameters expected trainable parameters at the start; 0: those of equal logits
 */
public record ExpectedSettings(long budget, long steps, double initialParameters)
    implements Serializable {

  /** Part of the search in which the expected number of parameters reaches its target. */
  static final double DESCENT = 0.5;

  /** Settings of a search whose distributions start with equal logits. */
  public ExpectedSettings(long budget, long steps) {
    this(budget, steps, 0);
  }

  /**
   * The same for a search that starts with other logits.
   *
   * @param modules the candidates, in the order of their GSVs
   */
  public ExpectedSettings startingFrom(List<ModuleExperts> modules, float[] gsvs) {
    return new ExpectedSettings(budget, steps, new ExpectedParameters(modules).of(gsvs));
  }

  /** Steps after which the search has as few parameters as it is to have; 0 without a budget. */
  public long stepsToTarget() {
    return budget > 0 ? (long) Math.ceil(DESCENT * steps) : 0;
  }

  /**
   * The same for a search among these candidates.
   *
   * @throws UserException if the smallest plan is over the budget
   */
  public ExpectedSettings checked(List<ModuleExperts> modules) {
    long least = (long) new ExpectedParameters(modules).least();
    if (budget > 0 && budget < least) {
      throw new UserException(
          "Cannot search for a plan of at most %d parameters: the smallest has %d; raise"
              + " allocation.budget.parameters",
          budget, least);
    }
    return this;
  }
}
