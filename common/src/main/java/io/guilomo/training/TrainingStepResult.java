package io.guilomo.training;

import io.guilomo.network.PassResult;
import java.io.Serializable;

/**
 * What one step of fine-tuning measured.
 *
 * @param training all batches of the step, at the weights before it
 * @param learningRate of the step
 * @param gradientNorm before clipping
 * @param tokens real tokens of the batches
 */
public record TrainingStepResult(
    PassResult training, double learningRate, double gradientNorm, int tokens)
    implements Serializable {}
