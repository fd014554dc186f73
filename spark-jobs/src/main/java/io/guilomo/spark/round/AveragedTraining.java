package io.guilomo.spark.round;

import io.guilomo.data.TokenBatch;
import io.guilomo.io.ContentDigest;
import io.guilomo.io.FloatMemory;
import io.guilomo.model.UserException;
import io.guilomo.network.NamedParameters;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.PretrainedClassifier;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.round.Rounds.Round;
import io.guilomo.spark.worker.LocalTraining;
import io.guilomo.spark.worker.TaskDevice;
import io.guilomo.spark.worker.WorkerBatches;
import io.guilomo.spark.worker.WorkerRound;
import io.guilomo.spark.worker.WorkerSettings;
import io.guilomo.spark.worker.Workers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** A network that workers train over shards in averaging rounds, and that can be saved between. */
public final class AveragedTraining<S> {

  private final JobContext job;
  private final JavaSparkContext context;
  private final TrainingPlan<S> plan;
  private final JavaRDD<Shard> shards;
  private final AveragingMaster<S> master;
  private final SparkComputationGraph graph;
  private final ValidationLoss validation;
  private final String digest;

  /**
   * @param classifier of the checkpoint, from which the network's starts; null if it does not
   */
  public AveragedTraining(
      JobContext job,
      Workers workers,
      JavaRDD<Shard> shards,
      TrainingPlan<S> plan,
      PretrainedClassifier classifier) {
    this.job = job;
    this.context = JavaSparkContext.fromSparkContext(job.sparkContext());
    this.plan = plan;
    this.shards = shards;
    WorkerSettings settings = workers.settings(job.sparkContext());
    this.master = new AveragingMaster<>(plan, workers.count(), settings);
    this.graph = master.graph(context, classifier);
    this.validation =
        new ValidationLoss(
            shards,
            settings,
            plan.batchSize(),
            plan.training().recompute(),
            plan.validationShare());
    this.digest = digest(plan.network());
  }

  /** The first values of the flat vector that was averaged last. */
  public float[] firstParameters(int count) {
    float[] values = new float[count];
    FloatMemory.of(graph.getNetwork().params()).get(0, values, values.length);
    return values;
  }

  /** Replaces the first values of the flat vector, before the first round. */
  public void setFirstParameters(float[] values) {
    FloatMemory.of(graph.getNetwork().params()).put(0, values, values.length);
  }

  /** Views of all by name. */
  public NamedParameters named() {
    return NamedParameters.of(plan.network(), graph.getNetwork().params());
  }

  /**
   * Loss and accuracy of the parameters over the validation records, or the plan's share of them.
   *
   * @throws ArithmeticException if the loss is not finite
   */
  public ValidationResult validate() {
    ValidationResult result = validation.measure(plan.network(), graph.getNetwork());
    if (!Double.isFinite(result.loss())) {
      throw new ArithmeticException(
          String.format(
              "Cannot continue after %d steps: the validation loss is %s",
              graph.getNetwork().getConfiguration().getIterationCount(), result.loss()));
    }
    return result;
  }

  /** Gradients of the loss over the validation records by the outer variables. */
  public MaskGradients maskGradients() {
    return MaskGradients.measure(
        shards,
        validation.settings(),
        plan.batchSize(),
        validation.recompute(),
        plan.network(),
        graph.getNetwork());
  }

  /**
   * Trains and averages one round.
   *
   * @return what the workers reported, in the order of their numbers
   * @throws IllegalStateException if it is not done within {@code cluster.round-timeout-seconds}
   */
  public List<WorkerRound<S>> round(Round round) {
    master.number(round.number());
    try (RoundTimeout timeout =
        new RoundTimeout(
            context.sc(),
            "averaging round " + round.number(),
            job.config().cluster().roundTimeoutSeconds())) {
      timeout.run(() -> graph.fitMultiDataSet(placed(batches(shards, plan, round))));
    }
    return master.lastRound();
  }

  /** One partition per worker, which holds what dl4j-spark carries: a data set for each step. */
  static <S> JavaRDD<MultiDataSet> batches(
      JavaRDD<Shard> shards, TrainingPlan<S> plan, Round round) {
    LocalTraining<S> training = plan.training();
    int size = plan.batchSize();
    long seed = plan.seed();
    long first = round.firstStep();
    long end = round.endStep();
    return shards.flatMap(
        shard -> {
          WorkerBatches batches = new WorkerBatches(shard, size, seed);
          return LongStream.range(first, end)
              .mapToObj(step -> dataSet(training.batches(batches, step)))
              .iterator();
        });
  }

  /** The batches of a step as features; the labels, which dl4j-spark asks for, are not used. */
  private static MultiDataSet dataSet(List<TokenBatch> batches) {
    INDArray[] features = batches.stream().map(TokenBatch::toArray).toArray(INDArray[]::new);
    INDArray unused = Nd4j.zeros(features[0].size(0), 1);
    return new org.nd4j.linalg.dataset.MultiDataSet(features, new INDArray[] {unused});
  }

  /** Where Spark schedules GPUs, no two workers share one. */
  private JavaRDD<MultiDataSet> placed(JavaRDD<MultiDataSet> batches) {
    return TaskDevice.scheduled(context.sc())
        ? batches.withResources(TaskDevice.oneTaskAGpu(context.getConf()))
        : batches;
  }

  /**
   * What it is after {@code rounds} rounds and {@code step} steps.
   *
   * @param progress state of the {@link TrainingRun}, as JSON
   */
  public Checkpoint checkpoint(long rounds, long step, String progress) {
    ComputationGraph flat = graph.getNetwork();
    return new Checkpoint(
        rounds,
        step,
        digest,
        flat.params(),
        flat.getUpdater().getStateViewArray(),
        progress,
        job.config().asJson());
  }

  /**
   * Takes over the state of a checkpoint.
   *
   * @throws UserException if it is one of another network
   */
  public void restore(Checkpoint checkpoint) {
    ComputationGraph flat = graph.getNetwork();
    if (!checkpoint.network().equals(digest)
        || checkpoint.parameters().length() != flat.numParams()
        || checkpoint.updaterState().length() != flat.getUpdater().getStateViewArray().length()) {
      throw new UserException(
          "Cannot resume from the checkpoint after round %d: model, pooling, plan or classes have changed"
              + " (it has %d parameters, the network has %d); give another run.id, or start"
              + " over with checkpoint.resume=false",
          checkpoint.round(), checkpoint.parameters().length(), flat.numParams());
    }
    flat.setParams(checkpoint.parameters());
    flat.getUpdater().setStateViewArray(checkpoint.updaterState());
    flat.getConfiguration().setIterationCount((int) checkpoint.step());
  }

  /** Of all that decides which parameters a network has, where they start, and what they mean. */
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
