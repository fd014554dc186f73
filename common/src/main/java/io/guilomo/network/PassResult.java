package io.guilomo.network;

import java.io.Serializable;

/**
 * What a pass measured.
 *
 * @param loss what is differentiated: {@code taskLoss + coefficient · balanceLoss}
 * @param taskLoss mean cross-entropy over the labels
 * @param balanceLoss load-balancing loss, summed over the modules, without its coefficient
 * @param labels positions with a label
 * @param correct labels whose class had the largest logit
 */
public record PassResult(double loss, double taskLoss, double balanceLoss, int labels, int correct)
    implements Serializable {

  /** The result of both batches together: means over all their labels. */
  public PassResult plus(PassResult other) {
    double share = labels + other.labels == 0 ? 0 : (double) labels / (labels + other.labels);
    return new PassResult(
        share * loss + (1 - share) * other.loss,
        share * taskLoss + (1 - share) * other.taskLoss,
        share * balanceLoss + (1 - share) * other.balanceLoss,
        labels + other.labels,
        correct + other.correct);
  }
}
