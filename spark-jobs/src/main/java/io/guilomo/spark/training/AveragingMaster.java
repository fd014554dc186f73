package io.guilomo.spark.training;

import java.util.Comparator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.api.RDDTrainingApproach;
import org.deeplearning4j.spark.api.Repartition;
import org.deeplearning4j.spark.api.WorkerConfiguration;
import org.deeplearning4j.spark.api.worker.NetBroadcastTuple;
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
 * <p>It differs from dl4j-spark's in that it does not split or shuffle what it is given, and in
 * that it adds the workers' parameters up in the order of their partitions: the order of arrival,
 * in which {@code treeAggregate} adds, would give other roundings from run to run with three
 * workers or more.
 */
public final class AveragingMaster<S> extends ParameterAveragingTrainingMaster {

  private final LocalTraining<S> training;
  private final WorkerSettings settings;
  private Broadcast<NetBroadcastTuple> broadcast;
  private List<WorkerRound<S>> lastRound = List.of();

  /**
   * @param batchSize rows of every batch
   * @param averagingFrequency most steps of a round
   */
  public AveragingMaster(
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
    this.training = training;
    this.settings = settings;
  }

  /** What the workers handed back in the last round, in the order of their numbers. */
  public List<WorkerRound<S>> lastRound() {
    return lastRound;
  }

  @Override
  public ParameterAveragingTrainingWorker getWorkerInstance(SparkComputationGraph graph) {
    ComputationGraph network = graph.getNetwork();
    broadcast =
        graph
            .getSparkContext()
            .broadcast(
                new NetBroadcastTuple(
                    network.getConfiguration(),
                    network.params(),
                    network.getUpdater().getStateViewArray()));
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
        network.getConfiguration().getIterationCount());
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
    // Lets go of the round before: the parameters of all workers are held once at most.
    lastRound = List.of();
    lastRound =
        results.map(AveragingMaster::<S>round).collect().stream()
            .sorted(Comparator.comparingInt(WorkerRound::worker))
            .toList();
    broadcast.destroy();
    INDArray parameters = lastRound.get(0).parameters().dup();
    INDArray updaterState = lastRound.get(0).updaterState().dup();
    for (WorkerRound<S> result : lastRound.subList(1, lastRound.size())) {
      parameters.addi(result.parameters());
      updaterState.addi(result.updaterState());
    }
    if (lastRound.size() > 1) {
      parameters.divi(lastRound.size());
      updaterState.divi(lastRound.size());
    }
    ComputationGraph network = graph.getNetwork();
    network.setParams(parameters);
    network.getUpdater().setStateViewArray(updaterState);
    ComputationGraphConfiguration configuration = network.getConfiguration();
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
  private static <S> WorkerRound<S> round(ParameterAveragingTrainingResult result) {
    return ((AveragingResult<S>) result).round();
  }
}
