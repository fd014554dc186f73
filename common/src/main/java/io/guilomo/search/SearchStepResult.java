package io.guilomo.search;

import io.guilomo.network.PassResult;
import java.io.Serializable;

/**
 * What one search step measured.
 *
 * @param training the training batch at the weights before the step
 * @param validation the validation batch at the virtual weights
 * @param learningRate η
 * @param gradientNorm norm of the weights' gradient before clipping
 * @param validationGradientNorm ‖v‖; 0 where it is not needed
 * @param movedChoices GSVs whose argmax the step has moved
 */
public record SearchStepResult(
    PassResult training,
    PassResult validation,
    double learningRate,
    double gradientNorm,
    double validationGradientNorm,
    int movedChoices)
    implements Serializable {}
