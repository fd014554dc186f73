package io.guilomo.spark.round;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.config.KernelsConfig.Products;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.config.Recompute;
import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.ModelReader;
import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.Backbone;
import io.guilomo.network.HostParameters;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Stage;
import io.guilomo.search.BilevelStep;
import io.guilomo.search.SearchSettings;
import io.guilomo.search.SearchStepResult;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.worker.BilevelTraining;
import io.guilomo.spark.worker.WorkerBatches;
import io.guilomo.spark.worker.WorkerRound;
import io.guilomo.spark.worker.WorkerSettings;
import io.guilomo.training.LearningRate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Averaging on Spark beside the loop it stands for, on a random two-layer LLaMA. */
class TestBilevelTraining {

  private static final Configuration CONF = new Configuration();
  private static final int BATCH = 2;
  private static final long SEED = 5;

  private final SearchSettings search =
      new SearchSettings(
          SearchSettings.INNER,
          new LearningRate(1e-2, 2, 12),
          SearchSettings.OUTER,
          0.1,
          OuterGradient.SECOND_ORDER,
          true,
          1,
          SEED);

  @TempDir private Path model;
  private Backbone backbone;
  private NetworkDefinition definition;
  private WorkerSettings settings;

  private record State(INDArray parameters, INDArray moments) {}

  @BeforeEach
  void writeModel() throws IOException {
    RandomLlama.write(model);
    backbone = ModelReader.load(model.toString(), CONF);
    List<ModuleExperts> modules =
        backbone.config().linearModules().stream()
            .map(module -> ModuleExperts.uniform(module, 3, 2, 4, RoutingMethod.topK(2)))
            .toList();
    definition =
        new NetworkDefinition(
            model.toString(),
            backbone.config(),
            Stage.SEARCH,
            modules,
            0.1,
            1e-3,
            0,
            Pooling.MEAN,
            SEED);
    settings =
        new WorkerSettings(
            Device.AUTO, 1, Products.AUTO, Precision.FLOAT32, new SerializableConfiguration(CONF));
  }

  @Test
  void oneWorkerIsThePlainLoop() {
    Shard shard = RandomLlama.shard(0);
    State plain = plain(shard, 6);
    // Rounds of two steps: the state goes to the worker and back three times.
    State averaged = onSpark(List.of(shard), 2, 3);
    assertThat(averaged.parameters().squaredDistance(plain.parameters())).isZero();
    assertThat(averaged.moments().squaredDistance(plain.moments())).isZero();
  }

  @Test
  void aRoundOfTwoWorkersIsTheMeanOfTheirLoops() {
    List<Shard> shards = List.of(RandomLlama.shard(0), RandomLlama.shard(1));
    State first = plain(shards.get(0), 3);
    State second = plain(shards.get(1), 3);
    assertThat(first.parameters()).isNotEqualTo(second.parameters());
    State averaged = onSpark(shards, 3, 1);
    assertThat(
            averaged
                .parameters()
                .squaredDistance(first.parameters().add(second.parameters()).div(2)))
        .isZero();
    assertThat(averaged.moments().squaredDistance(first.moments().add(second.moments()).div(2)))
        .isZero();
  }

  private State plain(Shard shard, int steps) {
    ComputeThreads.limit(1);
    Kernels kernels = KernelSelection.best();
    HostParameters host = HostParameters.initial(definition);
    WorkerBatches batches = new WorkerBatches(shard, BATCH, SEED);
    try (LoraMoeNetwork network =
        LoraMoeNetwork.of(definition, host, FrozenCopies.of(backbone, kernels), kernels)) {
      BilevelStep bilevel =
          new BilevelStep(
              network, kernels, new BilevelTraining(search, Recompute.NONE).of(shard.index()));
      for (long step = 0; step < steps; step++) {
        bilevel.run(step, batches.train(step), batches.validation(step));
      }
      network.download();
      return new State(host.parameters(), host.moments());
    }
  }

  private State onSpark(List<Shard> shards, int stepsPerRound, int rounds) {
    JavaSparkContext context =
        JavaSparkContext.fromSparkContext(SharedSparkSession.session().sparkContext());
    TrainingPlan<SearchStepResult> plan =
        new TrainingPlan<>(
            definition,
            new BilevelTraining(search, Recompute.NONE),
            Rounds.of((long) rounds * stepsPerRound, stepsPerRound),
            BATCH,
            SEED);
    AveragingMaster<SearchStepResult> master = new AveragingMaster<>(plan, shards.size(), settings);
    SparkComputationGraph graph = master.graph(context, null);
    JavaRDD<Shard> distributed = context.parallelize(shards, shards.size());
    for (int round = 0; round < rounds; round++) {
      int from = round * stepsPerRound;
      graph.fitMultiDataSet(
          AveragedTraining.batches(distributed, plan, plan.rounds().round(round + 1)));
      assertThat(master.lastRound())
          .extracting(WorkerRound::worker)
          .containsExactly(workers(shards));
      assertThat(master.lastRound())
          .allSatisfy(
              worker ->
                  assertThat(worker.steps())
                      .extracting(SearchStepResult::learningRate)
                      .containsExactlyElementsOf(
                          IntStream.range(from, from + stepsPerRound)
                              .mapToObj(search.innerRate()::at)
                              .toList()));
    }
    return new State(
        graph.getNetwork().params(), graph.getNetwork().getUpdater().getStateViewArray());
  }

  private static Integer[] workers(List<Shard> shards) {
    return shards.stream().map(Shard::index).toArray(Integer[]::new);
  }
}
