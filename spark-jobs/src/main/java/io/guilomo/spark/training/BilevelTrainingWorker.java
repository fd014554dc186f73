package io.guilomo.spark.training;

import io.guilomo.backbone.Backbone;
import io.guilomo.backbone.BackboneCache;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.search.BilevelStep;
import io.guilomo.search.SearchStepResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.api.WorkerConfiguration;
import org.deeplearning4j.spark.api.worker.NetBroadcastTuple;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingResult;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingWorker;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Runs bilevel steps where dl4j-spark's worker would fit: each batch holds a training and a
 * validation batch.
 */
final class BilevelTrainingWorker extends ParameterAveragingTrainingWorker {

  private static final long serialVersionUID = 1;

  private final WorkerSettings settings;
  private final long firstStep;
  private transient LoraMoeNetwork network;
  private transient BilevelStep bilevel;
  private transient String backboneDigest;
  private transient long step;
  private transient List<SearchStepResult> results;

  /**
   * @param firstStep number of the round's first step: a graph that dl4j-spark makes of the
   *     broadcast counts from 0
   */
  BilevelTrainingWorker(
      Broadcast<NetBroadcastTuple> broadcast,
      WorkerConfiguration configuration,
      WorkerSettings settings,
      long firstStep) {
    super(broadcast, true, configuration, null, null, null);
    this.settings = settings;
    this.firstStep = firstStep;
  }

  @Override
  public ParameterAveragingTrainingResult processMinibatch(
      MultiDataSet batch, ComputationGraph graph, boolean isLast) {
    if (network == null) {
      begin(graph);
    }
    results.add(
        bilevel.run(
            step++, TokenBatch.of(batch.getFeatures(0)), TokenBatch.of(batch.getFeatures(1))));
    return isLast ? getFinalResult(graph) : null;
  }

  private void begin(ComputationGraph graph) {
    ComputeThreads.limit(settings.threads());
    Kernels kernels = KernelSelection.best();
    Backbone backbone;
    try {
      backbone = BackboneCache.get(LoraMoeNetwork.backboneOf(graph), settings.hadoop().value());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    network = LoraMoeNetwork.of(graph, backbone, kernels);
    backboneDigest = backbone.digest();
    bilevel = new BilevelStep(network, kernels, settings.of(TaskContext.getPartitionId()));
    step = firstStep;
    results = new ArrayList<>();
  }

  @Override
  public ParameterAveragingTrainingResult getFinalResult(ComputationGraph graph) {
    try (LoraMoeNetwork finished = network) {
      return new BilevelTrainingResult(
          new WorkerRound(
              TaskContext.getPartitionId(),
              graph.params(),
              graph.getUpdater().getStateViewArray(),
              results,
              finished.routedTokens(),
              backboneDigest));
    }
  }
}
