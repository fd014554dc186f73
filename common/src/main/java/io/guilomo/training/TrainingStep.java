package io.guilomo.training;

import io.guilomo.data.Seeds;
import io.guilomo.data.TokenBatch;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions;
import io.guilomo.network.PassResult;

/** One plain step of fine-tuning: {@code w ← AdamW(w, ∂w L(w))}. */
public final class TrainingStep {

  private final LoraMoeNetwork network;
  private final InnerUpdate update;
  private final LearningRate learningRate;
  private final long seed;

  /**
   * @param seed of the dropout masks
   */
  public TrainingStep(
      LoraMoeNetwork network, InnerUpdate update, LearningRate learningRate, long seed) {
    this.network = network;
    this.update = update;
    this.learningRate = learningRate;
    this.seed = seed;
  }

  /**
   * Moves the weights by one step.
   *
   * @param step from 0
   * @throws ArithmeticException if the loss is not finite; nothing has been moved then
   */
  public PassResult run(long step, TokenBatch batch) {
    PassResult result = network.pass(batch, PassOptions.training(Seeds.mix(seed, step)));
    if (!Double.isFinite(result.loss())) {
      throw new ArithmeticException(
          String.format("Cannot go on from step %d: the training loss is %s", step, result.loss()));
    }
    update.clip(network.weightGradient());
    update.apply(step + 1, learningRate.at(step), network.weightGradient(), true);
    return result;
  }
}
