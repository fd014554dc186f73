package io.guilomo.spark.finetune;

import io.guilomo.config.FinetuneConfig.Criterion;
import io.guilomo.spark.round.ValidationResult;

/**
 * Which validation is the best, and when it is time to stop because none has been better for long.
 *
 * @param patience validations without a better one before training stops; 0: no limit
 */
record EarlyStopping(Criterion criterion, int patience) {

  /** Whether a validation is better than the best before; without one it always is. */
  boolean better(ValidationResult measured, ValidationResult best) {
    if (best == null) {
      return true;
    }
    return criterion == Criterion.LOSS
        ? measured.loss() < best.loss()
        : measured.accuracy() > best.accuracy();
  }

  boolean stops(FinetuneState state) {
    return patience > 0 && state.withoutBetter() >= patience;
  }
}
