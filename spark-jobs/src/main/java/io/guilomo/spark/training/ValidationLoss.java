package io.guilomo.spark.training;

import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.BackboneCache;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.PassOptions;
import io.guilomo.network.PassResult;
import io.guilomo.spark.data.Shard;
import java.io.IOException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.graph.ComputationGraph;

/** Loss and accuracy over all validation records, forward only, on the executors. */
public final class ValidationLoss {

  private final JavaRDD<Shard> shards;
  private final WorkerSettings settings;
  private final int batchSize;

  /**
   * @param loss mean cross-entropy over the labels
   * @param accuracy share of the labels that were predicted
   */
  public record Measured(double loss, double accuracy, long labels) {}

  private record Sums(int worker, double loss, long correct, long labels) implements Serializable {}

  public ValidationLoss(JavaRDD<Shard> shards, WorkerSettings settings, int batchSize) {
    this.shards = shards;
    this.settings = settings;
    this.batchSize = batchSize;
  }

  /** Measures the parameters that {@code graph} has now. */
  public Measured measure(NetworkDefinition network, ComputationGraph graph) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(shards.context());
    Broadcast<NetworkState> state = context.broadcast(new NetworkState(network, graph, false));
    WorkerSettings worker = settings;
    int size = batchSize;
    List<Sums> sums = shards.map(shard -> sums(shard, state, worker, size)).collect();
    state.destroy();
    double loss = 0;
    long correct = 0;
    long labels = 0;
    for (Sums part : sums.stream().sorted(Comparator.comparingInt(Sums::worker)).toList()) {
      loss += part.loss();
      correct += part.correct();
      labels += part.labels();
    }
    return new Measured(loss / labels, (double) correct / labels, labels);
  }

  private static Sums sums(
      Shard shard, Broadcast<NetworkState> state, WorkerSettings settings, int batchSize)
      throws IOException {
    Kernels kernels = settings.begin();
    NetworkDefinition definition = state.value().network();
    Example[] examples = shard.validation().clone();
    Arrays.sort(examples, Comparator.comparingInt(Example::length));
    double loss = 0;
    long correct = 0;
    long labels = 0;
    try (LoraMoeNetwork network =
        LoraMoeNetwork.of(
            definition,
            state.value().parameters(),
            BackboneCache.get(
                definition.backbone(), settings.hadoop().value(), settings.memory(kernels)),
            kernels)) {
      for (int from = 0; from < examples.length; from += batchSize) {
        List<Example> batch =
            Arrays.asList(examples).subList(from, Math.min(examples.length, from + batchSize));
        PassResult result = network.pass(TokenBatch.of(batch), PassOptions.evaluation());
        loss += result.taskLoss() * result.labels();
        correct += result.correct();
        labels += result.labels();
      }
    }
    return new Sums(shard.index(), loss, correct, labels);
  }
}
