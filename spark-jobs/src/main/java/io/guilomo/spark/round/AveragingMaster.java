package io.guilomo.spark.round;

import io.guilomo.network.HostParameters;
import io.guilomo.network.PretrainedClassifier;
import io.guilomo.spark.worker.LocalRound;
import io.guilomo.spark.worker.WorkerRound;
import io.guilomo.spark.worker.WorkerSettings;
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
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An averaging round on dl4j-spark: each worker runs its {@link LocalRound}, then parameters and
 * updater state are averaged.
 *
 * <p>It differs from dl4j-spark's in that it neither splits nor shuffles the batches, and in how
 * parameters travel and are averaged; see {@link RoundAverage}.
 */
public final class AveragingMaster<S> extends ParameterAveragingTrainingMaster {

  private final TrainingPlan<S> plan;
  private final WorkerSettings settings;
  private long number = 1;
  private Broadcast<NetworkState> broadcast;
  private List<WorkerRound<S>> lastRound = List.of();
  private INDArray nextParameters;
  private INDArray nextState;

  public AveragingMaster(TrainingPlan<S> plan, int workers, WorkerSettings settings) {
    super(
        new Builder(workers, plan.batchSize())
            .batchSizePerWorker(plan.batchSize())
            .averagingFrequency(plan.rounds().perRound())
            .workerPrefetchNumBatches(0)
            .repartionData(Repartition.Never)
            .rddTrainingApproach(RDDTrainingApproach.Direct)
            .saveUpdater(true));
    this.plan = plan;
    this.settings = settings;
  }

  /**
   * A graph for it, with the parameters that the network starts with.
   *
   * @param classifier of the checkpoint; null where the network's does not start from it
   */
  public SparkComputationGraph graph(JavaSparkContext context, PretrainedClassifier classifier) {
    INDArray initial = HostParameters.initial(plan.network(), classifier).parameters();
    SparkComputationGraph graph =
        new SparkComputationGraph(context, NetworkState.configuration(initial.length()), this);
    graph.getNetwork().setParams(initial);
    return graph;
  }

  /** Names the next round in the executors' logs. */
  void number(long round) {
    number = round;
  }

  /** What the workers reported in the last round, in the order of their numbers. */
  public List<WorkerRound<S>> lastRound() {
    return lastRound;
  }

  @Override
  public ParameterAveragingTrainingWorker getWorkerInstance(SparkComputationGraph graph) {
    ComputationGraph flat = graph.getNetwork();
    broadcast = graph.getSparkContext().broadcast(new NetworkState(plan.network(), flat, true));
    return new AveragingWorker<>(
        broadcast,
        new WorkerConfiguration(
            true,
            rddDataSetNumExamples,
            batchSizePerWorker,
            averagingFrequency,
            prefetchNumBatches,
            false),
        plan.training(),
        settings,
        new LocalRound.Start(number, flat.getConfiguration().getIterationCount()));
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
    ComputationGraph flat = graph.getNetwork();
    INDArray parameters = flat.params();
    INDArray updaterState = flat.getUpdater().getStateViewArray();
    int first = Slices.count(parameters);
    // Workers that repeat the round must find what they started from: it is replaced at the end.
    if (nextParameters == null) {
      nextParameters = Nd4j.createUninitialized(DataType.FLOAT, 1, parameters.length());
      nextState = Nd4j.createUninitialized(DataType.FLOAT, 1, updaterState.length());
    }
    lastRound =
        RoundAverage.of(
            results.flatMap(AveragingMaster::<S>parts),
            numWorkers,
            (parameters.length() + updaterState.length()) * Float.BYTES,
            mean -> {
              if (mean.slice() < first) {
                Slices.put(nextParameters, mean.slice(), mean.values());
              } else {
                Slices.put(nextState, mean.slice() - first, mean.values());
              }
            });
    broadcast.destroy();
    flat.setParams(nextParameters);
    flat.getUpdater().setStateViewArray(nextState);
    ComputationGraphConfiguration configuration = flat.getConfiguration();
    configuration.setIterationCount(
        configuration.getIterationCount() + lastRound.get(0).steps().size());
    graph.setScore(
        lastRound.stream()
            .flatMap(round -> round.steps().stream())
            .mapToDouble(plan.training()::loss)
            .average()
            .orElseThrow());
  }

  @SuppressWarnings("unchecked") // Its worker is the one that this master made.
  private static <S> Iterator<RoundPart<S>> parts(ParameterAveragingTrainingResult result) {
    return ((AveragingResult<S>) result).parts();
  }
}
