package io.guilomo.spark.training;

import io.guilomo.network.HostParameters;
import io.guilomo.network.NetworkDefinition;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.api.RDDTrainingApproach;
import org.deeplearning4j.spark.api.Repartition;
import org.deeplearning4j.spark.api.WorkerConfiguration;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingMaster;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingResult;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingWorker;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * An averaging round on dl4j-spark: each worker runs the steps of its {@link LocalTraining}, then
 * parameters and updater state are averaged.
 *
 * <p>It differs from dl4j-spark's in that it does not split or shuffle what it is given, and in how
 * parameters travel and are averaged; see {@link RoundAverage}.
 */
public final class AveragingMaster<S> extends ParameterAveragingTrainingMaster {

  private final NetworkDefinition network;
  private final LocalTraining<S> training;
  private final WorkerSettings settings;
  private Broadcast<NetworkState> broadcast;
  private List<WorkerRound<S>> lastRound = List.of();

  /** A graph for it, with the parameters that a network starts with. */
  public SparkComputationGraph graph(JavaSparkContext context) {
    INDArray initial = HostParameters.initial(network).parameters();
    SparkComputationGraph graph =
        new SparkComputationGraph(context, FlatGraph.configuration(initial.length()), this);
    graph.getNetwork().setParams(initial);
    return graph;
  }

  /**
   * @param batchSize rows of every batch
   * @param averagingFrequency most steps of a round
   */
  public AveragingMaster(
      NetworkDefinition network,
      int workers,
      int batchSize,
      int averagingFrequency,
      LocalTraining<S> training,
      WorkerSettings settings) {
    super(
        new Builder(workers, batchSize)
            .batchSizePerWorker(batchSize)
            .averagingFrequency(averagingFrequency)
            .workerPrefetchNumBatches(0)
            .repartionData(Repartition.Never)
            .rddTrainingApproach(RDDTrainingApproach.Direct)
            .saveUpdater(true));
    this.network = network;
    this.training = training;
    this.settings = settings;
  }

  /** What the workers handed back in the last round, in the order of their numbers. */
  public List<WorkerRound<S>> lastRound() {
    return lastRound;
  }

  @Override
  public ParameterAveragingTrainingWorker getWorkerInstance(SparkComputationGraph graph) {
    ComputationGraph flat = graph.getNetwork();
    broadcast = graph.getSparkContext().broadcast(new NetworkState(network, flat, true));
    return new AveragingWorker<>(
        broadcast,
        new WorkerConfiguration(
            true,
            rddDataSetNumExamples,
            batchSizePerWorker,
            averagingFrequency,
            prefetchNumBatches,
            false),
        training,
        settings,
        flat.getConfiguration().getIterationCount());
  }

  @Override
  protected void executeTrainingDirect(SparkComputationGraph graph, JavaRDD<MultiDataSet> round) {
    doIteration(graph, round, 1, 1);
  }

  @Override
  protected void processResults(
      SparkDl4jMultiLayer unused,
      SparkComputationGraph graph,
      JavaRDD<ParameterAveragingTrainingResult> results,
      int splitNum,
      int totalSplits) {
    List<RoundPart<S>> means =
        RoundAverage.of(results.flatMap(AveragingMaster::<S>parts), numWorkers);
    broadcast.destroy();
    lastRound = means.stream().filter(RoundPart::isReport).map(RoundPart::report).toList();
    ComputationGraph flat = graph.getNetwork();
    INDArray parameters = flat.params();
    INDArray updaterState = flat.getUpdater().getStateViewArray();
    int first = Stretches.count(parameters);
    for (RoundPart<S> mean : means.subList(lastRound.size(), means.size())) {
      if (mean.stretch() < first) {
        Stretches.put(parameters, mean.stretch(), mean.values());
      } else {
        Stretches.put(updaterState, mean.stretch() - first, mean.values());
      }
    }
    ComputationGraphConfiguration configuration = flat.getConfiguration();
    configuration.setIterationCount(
        configuration.getIterationCount() + lastRound.get(0).steps().size());
    graph.setScore(
        lastRound.stream()
            .flatMap(round -> round.steps().stream())
            .mapToDouble(training::loss)
            .average()
            .orElseThrow());
  }

  @SuppressWarnings("unchecked") // Its worker is the one that this master made.
  private static <S> Iterator<RoundPart<S>> parts(ParameterAveragingTrainingResult result) {
    return ((AveragingResult<S>) result).parts();
  }
}
