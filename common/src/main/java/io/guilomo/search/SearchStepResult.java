package io.guilomo.search;

import io.guilomo.network.PassResult;
import java.io.Serializable;

/**
 * The measurements of one search step.
 *
 * @param training result for the training batch, with the weights before the step
 * @param validation result for the validation batch, with the virtual weights
 * @param learningRate η
 * @param gradientNorm norm of the gradient of the weights before clipping
 * @param validationGradientNorm ‖v‖; 0 if it is not needed
 * @param movedChoices number of GSVs whose choice the step moved: argmax or median
 */
public record SearchStepResult(
    PassResult training,
    PassResult validation,
    double learningRate,
    double gradientNorm,
    double validationGradientNorm,
    int movedChoices)
    implements Serializable {}
