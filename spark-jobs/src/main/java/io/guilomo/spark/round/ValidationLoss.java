package io.guilomo.spark.round;

import io.guilomo.config.Recompute;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.PassOptions;
import io.guilomo.network.PassResult;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.worker.WorkerSettings;
import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loss and accuracy over validation records, forward only, on the executors.
 *
 * @param recompute as in training
 * @param share of each shard's validation records that are measured
 */
public record ValidationLoss(
    JavaRDD<Shard> shards,
    WorkerSettings settings,
    int batchSize,
    Recompute recompute,
    double share) {

  private static final Logger LOG = LoggerFactory.getLogger(ValidationLoss.class);

  private record Sums(int worker, double loss, long correct, long labels) implements Serializable {

    Sums plus(PassResult batch) {
      return new Sums(
          worker,
          loss + batch.taskLoss() * batch.labels(),
          correct + batch.correct(),
          labels + batch.labels());
    }
  }

  /** Measures the parameters that {@code graph} has now. */
  public ValidationResult measure(NetworkDefinition network, ComputationGraph graph) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(shards.context());
    Broadcast<NetworkState> state = context.broadcast(new NetworkState(network, graph, false));
    WorkerSettings worker = settings;
    int size = batchSize;
    Recompute blocks = recompute;
    double measured = share;
    List<Sums> sums =
        shards
            .map(shard -> sums(shard.validating(measured), state, worker, size, blocks))
            .collect();
    state.destroy();
    double loss = 0;
    long correct = 0;
    long labels = 0;
    for (Sums part : sums.stream().sorted(Comparator.comparingInt(Sums::worker)).toList()) {
      loss += part.loss();
      correct += part.correct();
      labels += part.labels();
    }
    return new ValidationResult(loss / labels, (double) correct / labels, labels);
  }

  private static Sums sums(
      Shard shard,
      Broadcast<NetworkState> state,
      WorkerSettings settings,
      int batchSize,
      Recompute recompute) {
    long start = System.nanoTime();
    Sums all =
        ValidationBatches.sum(
            shard,
            state,
            settings,
            batchSize,
            recompute,
            new Sums(shard.index(), 0, 0, 0),
            (sums, network, kernels, batch) ->
                sums.plus(network.pass(batch, PassOptions.evaluation())));
    LOG.info(
        "validation, worker {}: {} records in {} s, loss {}",
        shard.index(),
        shard.validation().length,
        String.format(Locale.ROOT, "%.3f", (System.nanoTime() - start) / 1e9),
        all.loss() / all.labels());
    return all;
  }
}
