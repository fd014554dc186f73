package io.guilomo.spark.worker;

import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.Backbone;
import io.guilomo.network.HostParameters;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.WeightErrors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.spark.TaskContext;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One worker's part of an averaging round, in one task. A task that fails closes it too, so that
 * nothing is left on a GPU.
 */
public final class LocalRound<S> implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LocalRound.class);

  private final Start start;
  private final LocalTraining<S> training;
  private final int worker = TaskContext.getPartitionId();
  private final String backboneDigest;
  private final WeightErrors weightErrors;
  private final LocalTraining.Steps<S> steps;
  private final List<S> results = new ArrayList<>();
  private LoraMoeNetwork network;
  private long tokens;
  private long nanos;

  /**
   * Where a round starts.
   *
   * @param round from 1
   * @param step its first, from 0
   */
  public record Start(long round, long step) implements java.io.Serializable {}

  /**
   * @param host the averaged parameters and moments, which the steps change
   */
  public LocalRound(
      Start start,
      LocalTraining<S> training,
      NetworkDefinition definition,
      HostParameters host,
      WorkerSettings settings,
      Kernels kernels) {
    this.start = start;
    this.training = training;
    long loading = System.nanoTime();
    Backbone backbone = settings.backbone(definition.backbone(), kernels);
    LOG.info(
        "round {}, worker {}: starts at step {}, backbone ready after {} s",
        start.round(),
        worker,
        start.step(),
        seconds(System.nanoTime() - loading));
    network = LoraMoeNetwork.of(definition, host, backbone, kernels, training.recompute());
    TaskContext.get()
        .addTaskCompletionListener(
            context -> {
              close();
            });
    backboneDigest = backbone.digest();
    weightErrors = backbone.errors();
    steps = training.begin(network, kernels, worker);
  }

  /**
   * Runs the next step, which may be the last of the round.
   *
   * @param features the batches of the step, as {@link TokenBatch#toArray} made them
   */
  public void step(INDArray[] features, boolean last) {
    long before = System.nanoTime();
    List<TokenBatch> batches = Arrays.stream(features).map(TokenBatch::of).toList();
    results.add(steps.run(start.step() + results.size(), batches, last));
    nanos += System.nanoTime() - before;
    tokens += batches.stream().mapToLong(TokenBatch::size).sum();
  }

  /** Brings parameters and moments to the host, and tells what the steps were. */
  public WorkerRound<S> end(long bytes) {
    network.download();
    LOG.info(
        "round {}, worker {}: {} steps, {} tokens in {} s, last training loss {}",
        start.round(),
        worker,
        results.size(),
        tokens,
        seconds(nanos),
        lastLoss());
    return new WorkerRound<>(
        worker,
        results,
        network.routedTokens(),
        network.routerEntropy(),
        tokens,
        nanos / 1e9,
        bytes,
        backboneDigest,
        weightErrors);
  }

  /** Training loss of the last step. */
  public double lastLoss() {
    return training.loss(results.get(results.size() - 1));
  }

  private static String seconds(long nanoseconds) {
    return String.format(Locale.ROOT, "%.3f", nanoseconds / 1e9);
  }

  @Override
  public void close() {
    if (network != null) {
      LoraMoeNetwork finished = network;
      network = null;
      finished.close();
    }
  }
}
