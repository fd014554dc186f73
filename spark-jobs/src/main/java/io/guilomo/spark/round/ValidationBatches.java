package io.guilomo.spark.round;

import io.guilomo.config.Recompute;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.worker.WorkerSettings;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.broadcast.Broadcast;

/** The validation records of a worker, in batches of about equal lengths, on an executor. */
final class ValidationBatches {

  /** What one batch adds. */
  interface Step<T> {
    T plus(T sums, LoraMoeNetwork network, Kernels kernels, TokenBatch batch);
  }

  private ValidationBatches() {}

  /**
   * Runs a network over all of them, in the same order every time.
   *
   * @param recompute as in training, whose working arrays the network takes over
   * @param start before the first batch
   * @return after the last
   */
  static <T> T sum(
      Shard shard,
      Broadcast<NetworkState> state,
      WorkerSettings settings,
      int batchSize,
      Recompute recompute,
      T start,
      Step<T> step) {
    Kernels kernels = settings.begin();
    Example[] examples = shard.validation().clone();
    Arrays.sort(examples, Comparator.comparingInt(Example::length));
    List<Example> all = Arrays.asList(examples);
    T sums = start;
    try (LoraMoeNetwork network =
        LoraMoeNetwork.of(
            state.value().network(),
            state.value().parameters(),
            settings.backbone(state.value().network().backbone(), kernels),
            kernels,
            recompute)) {
      for (int from = 0; from < all.size(); from += batchSize) {
        List<Example> batch = all.subList(from, Math.min(all.size(), from + batchSize));
        sums = step.plus(sums, network, kernels, TokenBatch.of(batch));
      }
    }
    return sums;
  }
}
