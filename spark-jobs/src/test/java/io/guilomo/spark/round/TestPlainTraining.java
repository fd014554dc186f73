package io.guilomo.spark.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.config.KernelsConfig.Products;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.config.Recompute;
import io.guilomo.data.Seeds;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.ModelReader;
import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.Backbone;
import io.guilomo.network.HostParameters;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.PassOptions.Routing;
import io.guilomo.network.Stage;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.worker.LocalRound;
import io.guilomo.spark.worker.LocalTraining;
import io.guilomo.spark.worker.PlainTraining;
import io.guilomo.spark.worker.WorkerBatches;
import io.guilomo.spark.worker.WorkerRound;
import io.guilomo.spark.worker.WorkerSettings;
import io.guilomo.training.InnerUpdate;
import io.guilomo.training.LearningRate;
import io.guilomo.training.TrainingStep;
import io.guilomo.training.TrainingStepResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Fine-tuning on Spark beside the loop it stands for, on a random two-layer LLaMA. */
class TestPlainTraining {

  private static final Configuration CONF = new Configuration();
  private static final int BATCH = 2;
  private static final int ACCUMULATION = 2;
  private static final long SEED = 5;
  private static final WorkerSettings WORKERS =
      new WorkerSettings(
          Device.AUTO, 1, Products.AUTO, Precision.FLOAT32, new SerializableConfiguration(CONF));

  private final PlainTraining training =
      new PlainTraining(
          new AdamW(0.9, 0.999, 1e-8, 0.01),
          new LearningRate(1e-2, 2, 12),
          1,
          ACCUMULATION,
          SEED,
          Recompute.NONE);

  @TempDir private Path model;
  private Backbone backbone;
  private NetworkDefinition definition;

  @BeforeEach
  void writeModel() throws IOException {
    RandomLlama.write(model);
    backbone = ModelReader.load(model.toString(), CONF);
    definition =
        new NetworkDefinition(
            model.toString(),
            backbone.config(),
            Stage.FINE_TUNING,
            new UniformAllocation(3, 2, RoutingMethod.topK(2), 4)
                .plan(backbone.config().linearModules())
                .moduleExperts(),
            0.1,
            1e-3,
            0,
            Pooling.MEAN,
            SEED);
  }

  @Test
  void oneWorkerIsThePlainLoopOverAccumulatedBatches() {
    Shard shard = RandomLlama.shard(0);
    ComputeThreads.limit(1);
    Kernels kernels = KernelSelection.best();
    HostParameters plain = HostParameters.initial(definition);
    WorkerBatches batches = new WorkerBatches(shard, BATCH, SEED);
    try (LoraMoeNetwork network =
        LoraMoeNetwork.of(definition, plain, FrozenCopies.of(backbone, kernels), kernels)) {
      TrainingStep step =
          new TrainingStep(
              network,
              kernels,
              new InnerUpdate(network, kernels, training.adamW(), 1),
              training.learningRate(),
              Seeds.mix(SEED, 0));
      for (long i = 0; i < 6; i++) {
        List<TokenBatch> both =
            LongStream.range(i * ACCUMULATION, (i + 1) * ACCUMULATION)
                .mapToObj(batches::train)
                .toList();
        step.run(i, both, Routing.CHOOSE);
      }
      network.download();
    }

    AveragingMaster<TrainingStepResult> master = master();
    SparkComputationGraph graph = graph(master);
    // Rounds of two steps: the state goes to the worker and back three times.
    for (int round = 0; round < 3; round++) {
      try (LogLines log = LogLines.of(LocalRound.class)) {
        master.number(round + 1);
        graph.fitMultiDataSet(batches(shard, 2 * round));
        assertThat(log.lines())
            .hasSize(2)
            .first(STRING)
            .matches(
                "round %d, worker 0: starts at step %d, backbone ready after \\d+\\.\\d{3} s"
                    .formatted(round + 1, 2 * round));
        assertThat(log.lines().get(1))
            .matches(
                "round %d, worker 0: 2 steps, \\d+ tokens in \\d+\\.\\d{3} s, last training loss \\d.*"
                    .formatted(round + 1));
      }
      WorkerRound<TrainingStepResult> done = master.lastRound().get(0);
      assertThat(done.steps())
          .extracting(TrainingStepResult::learningRate)
          .containsExactly(
              training.learningRate().at(2 * round), training.learningRate().at(2 * round + 1));
      // Routers are measured in the last step: every token of its two batches goes to two experts.
      long tokens = done.steps().get(1).tokens();
      assertThat(done.routedTokens().values())
          .hasSize(14)
          .allSatisfy(counts -> assertThat(LongStream.of(counts).sum()).isEqualTo(2 * tokens));
      assertThat(done.routerEntropy().values())
          .allSatisfy(entropy -> assertThat(entropy).isBetween(0.0, Math.log(3)));
      assertThat(done.seconds()).isPositive();
    }
    ComputationGraph averaged = graph.getNetwork();
    assertThat(averaged.params().squaredDistance(plain.parameters())).isZero();
    assertThat(averaged.getUpdater().getStateViewArray().squaredDistance(plain.moments())).isZero();
  }

  @Test
  void lossThatIsNotFiniteEndsTheRoundWithItsStep() {
    SparkComputationGraph graph = graph(master());
    INDArray parameters = graph.getNetwork().params().dup();
    parameters.putScalar(0, Float.NaN);
    graph.getNetwork().setParams(parameters);
    assertThatThrownBy(() -> graph.fitMultiDataSet(batches(RandomLlama.shard(0), 4)))
        .rootCause()
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("the training loss is NaN");
  }

  @Test
  void aSlowWorkerIsWaitedForAndChangesNothing() {
    List<INDArray> averaged = new ArrayList<>();
    for (int slow = 0; slow < 2; slow++) {
      AveragingMaster<TrainingStepResult> master =
          new AveragingMaster<>(plan(new Slow(training, slow, UUID.randomUUID())), 2, WORKERS);
      SparkComputationGraph graph = graph(master);
      graph.fitMultiDataSet(batches(List.of(RandomLlama.shard(0), RandomLlama.shard(1)), 0));
      assertThat(master.lastRound()).extracting(WorkerRound::worker).containsExactly(0, 1);
      averaged.add(graph.getNetwork().params());
    }
    assertThat(averaged.get(0).squaredDistance(averaged.get(1))).isZero();
  }

  /** One of two workers begins its last step when the other has ended. */
  private record Slow(PlainTraining training, int slow, UUID id)
      implements LocalTraining<TrainingStepResult> {

    private static final Map<UUID, CountDownLatch> ENDED = new ConcurrentHashMap<>();

    @Override
    public List<TokenBatch> batches(WorkerBatches shard, long step) {
      return training.batches(shard, step);
    }

    @Override
    public Recompute recompute() {
      return training.recompute();
    }

    @Override
    public Steps<TrainingStepResult> begin(LoraMoeNetwork network, Kernels kernels, int worker) {
      Steps<TrainingStepResult> steps = training.begin(network, kernels, worker);
      CountDownLatch ended = ENDED.computeIfAbsent(id, key -> new CountDownLatch(1));
      return (step, batches, last) -> {
        if (last && worker == slow) {
          try {
            ended.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        }
        TrainingStepResult result = steps.run(step, batches, last);
        if (last) {
          ended.countDown();
        }
        return result;
      };
    }

    @Override
    public double loss(TrainingStepResult step) {
      return training.loss(step);
    }
  }

  private AveragingMaster<TrainingStepResult> master() {
    return new AveragingMaster<>(plan(training), 1, WORKERS);
  }

  private TrainingPlan<TrainingStepResult> plan(LocalTraining<TrainingStepResult> local) {
    return new TrainingPlan<>(definition, local, Rounds.of(12, 2), BATCH, SEED);
  }

  private SparkComputationGraph graph(AveragingMaster<TrainingStepResult> master) {
    return master.graph(context(), null);
  }

  private JavaRDD<MultiDataSet> batches(Shard shard, int firstStep) {
    return batches(List.of(shard), firstStep);
  }

  private JavaRDD<MultiDataSet> batches(List<Shard> shards, int firstStep) {
    return AveragedTraining.batches(
        context().parallelize(shards, shards.size()),
        plan(training),
        new Rounds.Round(1 + firstStep / 2, firstStep, firstStep + 2, false));
  }

  private static JavaSparkContext context() {
    return JavaSparkContext.fromSparkContext(SharedSparkSession.session().sparkContext());
  }
}
