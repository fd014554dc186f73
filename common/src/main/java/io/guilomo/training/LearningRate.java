package io.guilomo.training;

import io.guilomo.model.UserException;
import java.io.Serializable;

/**
 * Linear warm-up to a peak, then linear decay to 0 at the last step; constant if {@code totalSteps}
 * is 0.
 *
 * @param peak highest rate
 * @param warmupSteps steps until the peak is reached
 * @param totalSteps steps of the whole run
 */
public record LearningRate(double peak, long warmupSteps, long totalSteps) implements Serializable {

  public LearningRate {
    if (!(peak > 0) || warmupSteps < 0 || totalSteps < 0) {
      throw new UserException(
          "Cannot use a learning rate of %s with %d warm-up steps of %d",
          peak, warmupSteps, totalSteps);
    }
  }

  public static LearningRate constant(double rate) {
    return new LearningRate(rate, 0, 0);
  }

  /** Rate of step {@code step}, counted from 0. No step has rate 0. */
  public double at(long step) {
    if (step < warmupSteps) {
      return peak * (step + 1) / (warmupSteps + 1.0);
    }
    if (totalSteps == 0) {
      return peak;
    }
    return peak * Math.max(1, totalSteps - step) / Math.max(1.0, totalSteps - warmupSteps);
  }
}
