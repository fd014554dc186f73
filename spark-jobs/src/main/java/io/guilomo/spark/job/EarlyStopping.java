package io.guilomo.spark.job;

import io.guilomo.config.FinetuneConfig.Criterion;
import io.guilomo.spark.training.ValidationLoss.Measured;

/**
 * Tells which validation is the best, and when there have been no better ones for long.
 *
 * @param patience validations without a better one that are put up with; 0: any number
 */
record EarlyStopping(Criterion criterion, int patience) {

  /** Whether a validation is better than the best before; without one it always is. */
  boolean better(Measured measured, Measured best) {
    if (best == null) {
      return true;
    }
    return criterion == Criterion.LOSS
        ? measured.loss() < best.loss()
        : measured.accuracy() > best.accuracy();
  }

  boolean stops(FinetuneProgress progress) {
    return patience > 0 && progress.withoutBetter() >= patience;
  }
}
