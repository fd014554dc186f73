package io.guilomo.spark.worker;

import io.guilomo.config.Recompute;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import java.io.Serializable;
import java.util.List;

/**
 * What a worker does between two averagings. It travels to the executors.
 *
 * @param <S> what one step measures, serialisable
 */
public interface LocalTraining<S> extends Serializable {

  /** The steps of one round on one worker. */
  @FunctionalInterface
  interface Steps<S> {
    /**
     * Moves the network's parameters by one step.
     *
     * @param step from 0, over all rounds
     * @param batches those of {@link #batches}
     * @param last whether it is the last of the round
     */
    S run(long step, List<TokenBatch> batches, boolean last);
  }

  /** The batches of its shard that a worker learns from in a step. */
  List<TokenBatch> batches(WorkerBatches shard, long step);

  /**
   * Called at the start of a round.
   *
   * @param network with the averaged parameters and updater state
   * @param worker from 0
   */
  Steps<S> begin(LoraMoeNetwork network, Kernels kernels, int worker);

  /** What the backward passes of the network compute again. */
  Recompute recompute();

  /** The training loss in what a step measured. */
  double loss(S step);
}
