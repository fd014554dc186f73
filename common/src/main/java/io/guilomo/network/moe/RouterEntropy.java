package io.guilomo.network.moe;

import io.guilomo.model.LinearModule;
import io.guilomo.network.BatchLoss;
import io.guilomo.network.Measurements;
import io.guilomo.network.PassContext;
import org.nd4j.linalg.api.ndarray.INDArray;

/** How undecided a router is: one statistic, in passes that record and have no mask. */
final class RouterEntropy {

  private final LinearModule module;

  /** Index of the entropy among the router's statistics. */
  private final int index;

  private INDArray statistic;
  private boolean measured;

  RouterEntropy(LinearModule module, int index) {
    this.module = module;
    this.index = index;
  }

  /**
   * @param mask of the pass, which decides more than the router does; null for none
   * @param probabilities {@code [T, experts]}
   */
  void measure(PassContext context, Measurements.Slot slot, INDArray mask, INDArray probabilities) {
    measured = context.records() && mask == null;
    if (measured) {
      if (statistic == null) {
        statistic = slot.statistics(index, 1);
      }
      context.kernels().entropy(probabilities, statistic);
    }
  }

  /**
   * Reports what was measured.
   *
   * @param statistics of the router, of the whole batch
   */
  void report(double[] statistics, BatchLoss loss) {
    if (measured) {
      loss.undecided(module, statistics[index] / loss.tokens());
    }
  }
}
