package io.guilomo.spark.round;

import io.guilomo.config.Recompute;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.PassOptions;
import io.guilomo.network.PassOptions.Gradient;
import io.guilomo.network.PassResult;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.worker.WorkerSettings;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.graph.ComputationGraph;

/**
 * Gradients of the validation loss by the outer variables, without dropout and without the
 * load-balancing loss, summed over batches of the validation records.
 *
 * @param gradients {@code Σ labels · ∂L/∂a} of mean losses: divided by {@code labels}, the gradient
 *     over all records
 * @param squares {@code Σ (∂L/∂a)²}, to be divided by {@code batches}
 */
public record MaskGradients(double[] gradients, double[] squares, double labels, long batches)
    implements Serializable {

  private static final PassOptions MEASURING =
      PassOptions.evaluation().with(Gradient.GSVS).withoutBalance();

  private record Part(int worker, MaskGradients sums) implements Serializable {}

  /** Sums of {@code count} outer variables before the first batch. */
  public static MaskGradients none(int count) {
    return new MaskGradients(new double[count], new double[count], 0, 0);
  }

  public MaskGradients plus(MaskGradients other) {
    return new MaskGradients(
        sum(gradients, other.gradients),
        sum(squares, other.squares),
        labels + other.labels,
        batches + other.batches);
  }

  private static double[] sum(double[] left, double[] right) {
    double[] sums = left.clone();
    Arrays.setAll(sums, i -> sums[i] + right[i]);
    return sums;
  }

  /**
   * Measures the parameters that {@code graph} has now, on the executors.
   *
   * @param recompute as in training
   */
  static MaskGradients measure(
      JavaRDD<Shard> shards,
      WorkerSettings settings,
      int batchSize,
      Recompute recompute,
      NetworkDefinition network,
      ComputationGraph graph) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(shards.context());
    Broadcast<NetworkState> state = context.broadcast(new NetworkState(network, graph, false));
    List<Part> parts =
        shards.map(shard -> part(shard, state, settings, batchSize, recompute)).collect();
    state.destroy();
    // In the order of the workers, so that the sums are the same every time.
    return parts.stream()
        .sorted(Comparator.comparingInt(Part::worker))
        .map(Part::sums)
        .reduce(MaskGradients::plus)
        .orElseThrow();
  }

  private static Part part(
      Shard shard,
      Broadcast<NetworkState> state,
      WorkerSettings settings,
      int batchSize,
      Recompute recompute) {
    int count = ModuleExperts.gsvEntries(state.value().network().modules());
    return new Part(
        shard.index(),
        ValidationBatches.sum(
            shard, state, settings, batchSize, recompute, none(count), MaskGradients::plusBatch));
  }

  private static MaskGradients plusBatch(
      MaskGradients sums, LoraMoeNetwork network, Kernels kernels, TokenBatch batch) {
    PassResult result = network.pass(batch, MEASURING);
    float[] gradient = new float[sums.gradients().length];
    kernels.read(network.gsvGradient(), gradient);
    return sums.plus(of(gradient, result.labels()));
  }

  private static MaskGradients of(float[] gradient, int labels) {
    double[] weighted = new double[gradient.length];
    double[] squared = new double[gradient.length];
    for (int i = 0; i < gradient.length; i++) {
      weighted[i] = labels * (double) gradient[i];
      squared[i] = (double) gradient[i] * gradient[i];
    }
    return new MaskGradients(weighted, squared, labels, 1);
  }
}
