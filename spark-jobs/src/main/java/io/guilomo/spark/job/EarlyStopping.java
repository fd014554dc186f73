package io.guilomo.spark.job;

import io.guilomo.config.FinetuneConfig.Criterion;
import io.guilomo.spark.training.ValidationLoss;

/** Tells which validation is the best, and when there have been no better ones for long. */
final class EarlyStopping {

  private final Criterion criterion;
  private final int patience;
  private double best = Double.POSITIVE_INFINITY;
  private int withoutBetter;

  /**
   * @param patience validations without a better one that are put up with; 0: any number
   */
  EarlyStopping(Criterion criterion, int patience) {
    this.criterion = criterion;
    this.patience = patience;
  }

  /**
   * Takes note of a validation.
   *
   * @return whether it is better than all before; the first always is
   */
  boolean add(ValidationLoss.Measured measured) {
    double value = criterion == Criterion.LOSS ? measured.loss() : -measured.accuracy();
    boolean better = value < best;
    best = better ? value : best;
    withoutBetter = better ? 0 : withoutBetter + 1;
    return better;
  }

  boolean stops() {
    return patience > 0 && withoutBetter >= patience;
  }
}
