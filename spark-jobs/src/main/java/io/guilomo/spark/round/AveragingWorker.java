package io.guilomo.spark.round;

import io.guilomo.kernel.Kernels;
import io.guilomo.network.HostParameters;
import io.guilomo.spark.worker.LocalRound;
import io.guilomo.spark.worker.LocalTraining;
import io.guilomo.spark.worker.WorkerSettings;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.api.WorkerConfiguration;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingResult;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingWorker;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Runs a {@link LocalRound} where dl4j-spark's worker would fit: the features of a {@link
 * MultiDataSet} are the token batches of one step.
 */
final class AveragingWorker<S> extends ParameterAveragingTrainingWorker {

  private static final long serialVersionUID = 1;

  private final Broadcast<NetworkState> state;
  private final LocalTraining<S> training;
  private final WorkerSettings settings;
  private final LocalRound.Start start;
  private transient Kernels kernels;
  private transient LocalRound<S> round;

  /**
   * @param start of the round: a graph that dl4j-spark makes of the broadcast counts from 0
   */
  AveragingWorker(
      Broadcast<NetworkState> state,
      WorkerConfiguration configuration,
      LocalTraining<S> training,
      WorkerSettings settings,
      LocalRound.Start start) {
    super(null, true, configuration, null, null, null);
    this.state = state;
    this.training = training;
    this.settings = settings;
    this.start = start;
  }

  @Override
  public ComputationGraph getInitialModelGraph() {
    kernels = settings.begin();
    return state.value().graph();
  }

  @Override
  public ParameterAveragingTrainingResult processMinibatch(
      MultiDataSet batch, ComputationGraph graph, boolean isLast) {
    if (round == null) {
      HostParameters host =
          new HostParameters(graph.params(), graph.getUpdater().getStateViewArray());
      round = new LocalRound<>(start, training, state.value().network(), host, settings, kernels);
    }
    round.step(batch.getFeatures(), isLast);
    return isLast ? getFinalResult(graph) : null;
  }

  @Override
  public ParameterAveragingTrainingResult getFinalResult(ComputationGraph graph) {
    try (LocalRound<S> ended = round) {
      round = null;
      long values = graph.params().length() + graph.getUpdater().getStateViewArray().length();
      return new AveragingResult<>(
          ended.end(values * Float.BYTES),
          graph.params(),
          graph.getUpdater().getStateViewArray(),
          ended.lastLoss());
    }
  }
}
