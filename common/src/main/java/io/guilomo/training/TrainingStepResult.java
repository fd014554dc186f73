package io.guilomo.training;

import io.guilomo.network.PassResult;
import java.io.Serializable;

/**
 * The measurements of one step of fine-tuning.
 *
 * @param training result for all batches of the step, with the weights before it
 * @param learningRate learning rate of the step
 * @param gradientNorm norm of the gradient before clipping
 * @param tokens number of tokens of the batches
 */
public record TrainingStepResult(
    PassResult training, double learningRate, double gradientNorm, int tokens)
    implements Serializable {}
