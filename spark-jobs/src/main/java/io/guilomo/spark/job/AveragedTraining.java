package io.guilomo.spark.job;

import io.guilomo.io.ContentDigest;
import io.guilomo.model.UserException;
import io.guilomo.network.NamedParameters;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.device.TaskDevice;
import io.guilomo.spark.training.AveragingMaster;
import io.guilomo.spark.training.LocalTraining;
import io.guilomo.spark.training.RoundTimeout;
import io.guilomo.spark.training.ValidationLoss;
import io.guilomo.spark.training.WorkerRound;
import io.guilomo.spark.training.WorkerSettings;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** A network that workers train over shards in averaging rounds, and that can be saved between. */
final class AveragedTraining<S> {

  private final JavaSparkContext context;
  private final NetworkDefinition network;
  private final AveragingMaster<S> master;
  private final SparkComputationGraph graph;
  private final ValidationLoss validation;
  private final String digest;
  private final long roundTimeoutSeconds;

  /**
   * @param batchSize rows of every batch
   * @param stepsPerRound most steps of a round
   * @param roundTimeoutSeconds after which a round is given up; 0: never
   */
  AveragedTraining(
      SparkSession spark,
      Workers workers,
      JavaRDD<Shard> shards,
      NetworkDefinition network,
      LocalTraining<S> training,
      int batchSize,
      int stepsPerRound,
      long roundTimeoutSeconds) {
    this.context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    WorkerSettings settings = workers.settings(spark.sparkContext());
    this.network = network;
    this.master =
        new AveragingMaster<>(
            network, workers.count(), batchSize, stepsPerRound, training, settings);
    this.graph = master.graph(context);
    this.validation = new ValidationLoss(shards, settings, batchSize);
    this.digest = digest(network);
    this.roundTimeoutSeconds = roundTimeoutSeconds;
  }

  /** The flat vector that was averaged last. */
  INDArray parameters() {
    return graph.getNetwork().params();
  }

  /** Views of it by name. */
  NamedParameters named() {
    return NamedParameters.of(network, parameters());
  }

  /**
   * Loss and accuracy over the validation records, of the parameters that it has now.
   *
   * @throws ArithmeticException if the loss is not finite
   */
  ValidationLoss.Measured validate() {
    ValidationLoss.Measured measured = validation.measure(network, graph.getNetwork());
    if (!Double.isFinite(measured.loss())) {
      throw new ArithmeticException(
          String.format(
              "Cannot go on after %d steps: the validation loss is %s",
              graph.getNetwork().getConfiguration().getIterationCount(), measured.loss()));
    }
    return measured;
  }

  /**
   * Trains and averages one round.
   *
   * @param round from 0, for messages
   * @param batches one partition a worker
   * @return what the workers handed back, in the order of their numbers
   */
  List<WorkerRound<S>> round(long round, JavaRDD<MultiDataSet> batches) {
    try (RoundTimeout timeout =
        new RoundTimeout(context.sc(), "averaging round " + (round + 1), roundTimeoutSeconds)) {
      timeout.run(() -> graph.fitMultiDataSet(placed(batches)));
    }
    return master.lastRound();
  }

  /** Where Spark schedules GPUs, no two workers share one. */
  private JavaRDD<MultiDataSet> placed(JavaRDD<MultiDataSet> batches) {
    return TaskDevice.scheduled(context.sc())
        ? batches.withResources(TaskDevice.oneTaskAGpu(context.getConf()))
        : batches;
  }

  /** Its state after {@code rounds} rounds of {@code step} steps. */
  Checkpoint checkpoint(long rounds, long step, String progress, String configuration) {
    ComputationGraph flat = graph.getNetwork();
    return new Checkpoint(
        rounds,
        step,
        digest,
        flat.params(),
        flat.getUpdater().getStateViewArray(),
        progress,
        configuration);
  }

  /**
   * Takes over the state of a checkpoint.
   *
   * @throws UserException if it is one of another network
   */
  void restore(Checkpoint checkpoint) {
    ComputationGraph flat = graph.getNetwork();
    if (!checkpoint.network().equals(digest)
        || checkpoint.parameters().length() != flat.numParams()
        || checkpoint.updaterState().length() != flat.getUpdater().getStateViewArray().length()) {
      throw new UserException(
          String.format(
              "Cannot go on from the checkpoint after round %d: model, plan or classes have changed"
                  + " (it has %d parameters, the network has %d); give another run.id, or begin"
                  + " anew with checkpoint.resume=false",
              checkpoint.round(), checkpoint.parameters().length(), flat.numParams()));
    }
    flat.setParams(checkpoint.parameters());
    flat.getUpdater().setStateViewArray(checkpoint.updaterState());
    flat.getConfiguration().setIterationCount((int) checkpoint.step());
  }

  /**
   * @throws UserException if executors have another model than a checkpoint was made with
   */
  static void requireBackbone(String checkpointed, String loaded) {
    if (!checkpointed.isEmpty() && !checkpointed.equals(loaded)) {
      throw new UserException(
          String.format(
              "Cannot go on from the checkpoint: the model has digest %s, it was made with %s",
              loaded, checkpointed));
    }
  }

  /** Of all that decides which parameters a network has, where they begin, and what they mean. */
  private static String digest(NetworkDefinition network) {
    String text =
        String.join(
            "\n",
            network.config().toString(),
            network.stage().toString(),
            network.modules().toString(),
            network.pooling().toString(),
            network.classes() + " classes, seed " + network.seed());
    return ContentDigest.sha256(text.getBytes(StandardCharsets.UTF_8));
  }
}
