package io.guilomo.spark.training;

import io.guilomo.data.TokenBatch;
import io.guilomo.family.BackboneCache;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.Backbone;
import io.guilomo.network.HostParameters;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.api.WorkerConfiguration;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingResult;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingWorker;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Runs the steps of a {@link LocalTraining} where dl4j-spark's worker would fit: the features of a
 * {@link MultiDataSet} are the token batches of one step.
 */
final class AveragingWorker<S> extends ParameterAveragingTrainingWorker {

  private static final long serialVersionUID = 1;

  private final Broadcast<NetworkState> state;
  private final LocalTraining<S> training;
  private final WorkerSettings settings;
  private final long firstStep;
  private transient Kernels kernels;
  private transient LoraMoeNetwork network;
  private transient LocalTraining.Steps<S> steps;
  private transient String backboneDigest;
  private transient List<S> results;
  private transient long nanos;

  /**
   * @param firstStep number of the round's first step: a graph that dl4j-spark makes of the
   *     broadcast counts from 0
   */
  AveragingWorker(
      Broadcast<NetworkState> state,
      WorkerConfiguration configuration,
      LocalTraining<S> training,
      WorkerSettings settings,
      long firstStep) {
    super(null, true, configuration, null, null, null);
    this.state = state;
    this.training = training;
    this.settings = settings;
    this.firstStep = firstStep;
  }

  @Override
  public ComputationGraph getInitialModelGraph() {
    kernels = settings.begin();
    return state.value().graph();
  }

  @Override
  public ParameterAveragingTrainingResult processMinibatch(
      MultiDataSet batch, ComputationGraph graph, boolean isLast) {
    if (network == null) {
      begin(graph);
    }
    long start = System.nanoTime();
    List<TokenBatch> batches = Arrays.stream(batch.getFeatures()).map(TokenBatch::of).toList();
    results.add(steps.run(firstStep + results.size(), batches, isLast));
    nanos += System.nanoTime() - start;
    return isLast ? getFinalResult(graph) : null;
  }

  private void begin(ComputationGraph graph) {
    NetworkDefinition definition = state.value().network();
    Backbone backbone;
    try {
      backbone =
          BackboneCache.get(
              definition.backbone(), settings.hadoop().value(), settings.memory(kernels));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    HostParameters host =
        new HostParameters(graph.params(), graph.getUpdater().getStateViewArray());
    network = LoraMoeNetwork.of(definition, host, backbone, kernels);
    // A task that fails leaves nothing on the card.
    TaskContext.get()
        .addTaskCompletionListener(
            context -> {
              close();
            });
    backboneDigest = backbone.digest();
    steps = training.begin(network, kernels, TaskContext.getPartitionId());
    results = new ArrayList<>();
  }

  @Override
  public ParameterAveragingTrainingResult getFinalResult(ComputationGraph graph) {
    try {
      network.download();
      return new AveragingResult<>(
          new WorkerRound<>(
              TaskContext.getPartitionId(),
              results,
              network.routedTokens(),
              network.routerEntropy(),
              nanos / 1e9,
              (graph.params().length() + graph.getUpdater().getStateViewArray().length())
                  * Float.BYTES,
              backboneDigest),
          graph.params(),
          graph.getUpdater().getStateViewArray(),
          training.loss(results.get(results.size() - 1)));
    } finally {
      close();
    }
  }

  private void close() {
    if (network != null) {
      LoraMoeNetwork finished = network;
      network = null;
      finished.close();
    }
  }
}
