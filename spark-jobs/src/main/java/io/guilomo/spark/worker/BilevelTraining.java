package io.guilomo.spark.worker;

import io.guilomo.config.Recompute;
import io.guilomo.data.Seeds;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.search.BilevelStep;
import io.guilomo.search.SearchSettings;
import io.guilomo.search.SearchStepResult;
import java.util.List;

/** Bilevel steps: each learns from one training and one validation batch. */
public record BilevelTraining(SearchSettings settings, Recompute recompute)
    implements LocalTraining<SearchStepResult> {

  @Override
  public List<TokenBatch> batches(WorkerBatches shard, long step) {
    return List.of(shard.train(step), shard.validation(step));
  }

  @Override
  public Steps<SearchStepResult> begin(LoraMoeNetwork network, Kernels kernels, int worker) {
    BilevelStep bilevel = new BilevelStep(network, kernels, of(worker));
    return (step, batches, last) -> bilevel.run(step, batches.get(0), batches.get(1));
  }

  @Override
  public double loss(SearchStepResult step) {
    return step.training().loss();
  }

  /** The settings of one worker: its dropout masks are its own. */
  public SearchSettings of(int worker) {
    return settings.with(Seeds.mix(settings.seed(), worker));
  }
}
