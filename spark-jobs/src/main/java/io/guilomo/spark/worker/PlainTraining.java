package io.guilomo.spark.worker;

import io.guilomo.config.Recompute;
import io.guilomo.data.Seeds;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions.Routing;
import io.guilomo.training.InnerUpdate;
import io.guilomo.training.LearningRate;
import io.guilomo.training.TrainingStep;
import io.guilomo.training.TrainingStepResult;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Plain training steps: the batches of a step make one gradient. Routers are measured in the last
 * step of a round.
 *
 * @param clipNorm largest norm of the gradient; 0: no limit
 * @param accumulation training batches of a step
 * @param seed of the dropout masks
 */
public record PlainTraining(
    AdamW adamW,
    LearningRate learningRate,
    double clipNorm,
    int accumulation,
    long seed,
    Recompute recompute)
    implements LocalTraining<TrainingStepResult> {

  @Override
  public List<TokenBatch> batches(WorkerBatches shard, long step) {
    return LongStream.range(step * accumulation, (step + 1) * accumulation)
        .mapToObj(shard::train)
        .toList();
  }

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
