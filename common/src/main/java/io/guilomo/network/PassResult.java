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
    implements Serializable {}
