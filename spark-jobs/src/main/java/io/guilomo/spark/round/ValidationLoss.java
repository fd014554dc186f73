package io.guilomo.spark.round;

import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.PassOptions;
import io.guilomo.network.PassResult;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.worker.WorkerSettings;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loss and accuracy over all validation records, forward only, on the executors. */
public record ValidationLoss(JavaRDD<Shard> shards, WorkerSettings settings, int batchSize) {

  private static final Logger LOG = LoggerFactory.getLogger(ValidationLoss.class);

  private record Sums(int worker, double loss, long correct, long labels) implements Serializable {}

  /** Measures the parameters that {@code graph} has now. */
  public ValidationResult measure(NetworkDefinition network, ComputationGraph graph) {
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
    return new ValidationResult(loss / labels, (double) correct / labels, labels);
  }

  private static Sums sums(
      Shard shard, Broadcast<NetworkState> state, WorkerSettings settings, int batchSize) {
    long start = System.nanoTime();
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
            settings.backbone(definition.backbone(), kernels),
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
    LOG.info(
        "validation, worker {}: {} records in {} s, loss {}",
        shard.index(),
        examples.length,
        String.format(Locale.ROOT, "%.3f", (System.nanoTime() - start) / 1e9),
        loss / labels);
    return new Sums(shard.index(), loss, correct, labels);
  }
}
