package io.guilomo.training;

import io.guilomo.data.Seeds;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions;
import io.guilomo.network.PassOptions.Routing;
import io.guilomo.network.PassResult;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One plain step of fine-tuning: {@code w ← AdamW(w, ∂w L(w))}. {@code L} may be the loss of
 * several batches, which run one after the other to save memory.
 *
 * @param seed of the dropout masks
 */
public record TrainingStep(
    LoraMoeNetwork network,
    Kernels kernels,
    InnerUpdate update,
    LearningRate learningRate,
    long seed) {

  /**
   * Updates the weights by one step.
   *
   * @param step from 0
   * @throws ArithmeticException if the loss is not finite; nothing has changed then
   */
  public TrainingStepResult run(long step, TokenBatch batch) {
    return run(step, List.of(batch), Routing.CHOOSE);
  }

  /**
   * Updates the weights by one step over several batches. Each is weighted by its number of labels,
   * so that the gradient of the cross-entropy is that of a single batch.
   *
   * @param routing {@link Routing#RECORD} to measure the routers
   * @throws ArithmeticException if a loss is not finite; nothing has changed then
   */
  public TrainingStepResult run(long step, List<TokenBatch> batches, Routing routing) {
    INDArray gradient = network.weightGradient();
    PassResult all = pass(step, 0, batches, routing);
    if (batches.size() > 1) {
      INDArray sum = network.workingVector("accumulated");
      kernels.copy(gradient, sum);
      kernels.scale(sum, all.labels());
      for (int i = 1; i < batches.size(); i++) {
        PassResult next = pass(step, i, batches, routing);
        kernels.addScaled(sum, next.labels(), gradient, sum);
        all = all.plus(next);
      }
      kernels.scale(sum, 1.0 / Math.max(1, all.labels()));
      gradient = sum;
    }
    double rate = learningRate.at(step);
    double norm = update.clip(gradient);
    update.apply(step + 1, rate, gradient, true);
    return new TrainingStepResult(
        all, rate, norm, batches.stream().mapToInt(TokenBatch::size).sum());
  }

  private PassResult pass(long step, int index, List<TokenBatch> batches, Routing routing) {
    long dropoutSeed = Seeds.mix(seed, step * batches.size() + index);
    return finite(
        "training",
        step,
        network.pass(batches.get(index), PassOptions.training(dropoutSeed).with(routing)));
  }

  /**
   * @param what was passed, for the message
   * @throws ArithmeticException if the loss is not finite
   */
  public static PassResult finite(String what, long step, PassResult result) {
    if (!Double.isFinite(result.loss())) {
      throw new ArithmeticException(
          String.format(
              "Cannot continue from step %d: the %s loss is %s", step, what, result.loss()));
    }
    return result;
  }
}
