package io.guilomo.spark.training;

import io.guilomo.data.Seeds;
import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions.Routing;
import io.guilomo.training.InnerUpdate;
import io.guilomo.training.LearningRate;
import io.guilomo.training.TrainingStep;
import io.guilomo.training.TrainingStepResult;

/**
 * Plain training steps: the gradients of a step's batches make one. Routers are measured in the
 * last step of a round.
 *
 * @param clipNorm largest norm of the gradient; 0 for any
 * @param seed of the dropout masks
 */
public record FineTuning(AdamW adamW, LearningRate learningRate, double clipNorm, long seed)
    implements LocalTraining<TrainingStepResult> {

  @Override
  public Steps<TrainingStepResult> begin(LoraMoeNetwork network, Kernels kernels, int worker) {
    TrainingStep training =
        new TrainingStep(
            network,
            kernels,
            new InnerUpdate(network, kernels, adamW, clipNorm),
            learningRate,
            Seeds.mix(seed, worker));
    return (step, batches, last) ->
        training.run(step, batches, last ? Routing.RECORD : Routing.CHOOSE);
  }

  @Override
  public double loss(TrainingStepResult step) {
    return step.training().loss();
  }
}
