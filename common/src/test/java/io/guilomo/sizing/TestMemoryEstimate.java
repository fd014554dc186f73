package io.guilomo.sizing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.config.Recompute;
import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.ModelReader;
import io.guilomo.family.bert.BertConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.UserException;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.ParameterCount;
import io.guilomo.network.PassOptions;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyDecoders;
import io.guilomo.network.TinyModels;
import io.guilomo.network.WorkingArrays;
import io.guilomo.search.BilevelStep;
import io.guilomo.search.SearchSettings;
import io.guilomo.sizing.MemoryEstimate.DriverMemory;
import io.guilomo.training.LearningRate;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What is computed from a definition is what a network of it has. */
class TestMemoryEstimate {

  private static final Kernels KERNELS = KernelsUnderTest.any();
  private static final int SEQUENCES = 3;
  private static final int LENGTH = 7;

  @ParameterizedTest
  @EnumSource(Stage.class)
  void aDecodersParametersAndArrays(Stage stage) {
    Backbone backbone = TinyModels.llama(1);
    assertSame(
        TinyModels.definition(
            backbone, stage, TinyModels.unequal(backbone.config(), stage), 0.1, 0.1),
        backbone,
        TinyModels.causal(1, LENGTH, LENGTH, LENGTH));
  }

  @ParameterizedTest
  @EnumSource(Stage.class)
  void anEncodersParametersAndArrays(Stage stage) {
    Backbone backbone = TinyModels.bert(1);
    assertSame(
        TinyModels.definition(
            backbone, stage, TinyModels.unequal(backbone.config(), stage), 0.1, 0),
        backbone,
        TinyModels.classified(1, LENGTH, LENGTH, LENGTH));
  }

  @Test
  void whatOtherDecodersAdd() {
    for (Backbone backbone :
        List.of(TinyDecoders.options(1), TinyDecoders.gemma(1), TinyDecoders.phi(1))) {
      List<ModuleExperts> modules = TinyModels.unequal(backbone.config(), Stage.FINE_TUNING);
      assertSame(
          TinyModels.definition(backbone, Stage.FINE_TUNING, modules, 0.1, 0.1),
          backbone,
          TinyModels.causal(1, LENGTH, LENGTH, LENGTH));
    }
  }

  @Test
  void withoutDropoutAndOnSomeModulesOnly() {
    Backbone backbone = TinyModels.llama(1, 1, 3);
    List<ModuleExperts> modules =
        TinyModels.uniform(backbone.config()).stream()
            .filter(module -> module.module().name().matches("q_proj|up_proj"))
            .toList();
    assertSame(
        TinyModels.definition(backbone, Stage.SEARCH, modules, 0, 0),
        backbone,
        TinyModels.causal(1, LENGTH, LENGTH, LENGTH));
  }

  private static void assertSame(
      NetworkDefinition definition, Backbone backbone, TokenBatch batch) {
    for (Recompute recompute : Recompute.values()) {
      assertSame(definition, backbone, batch, recompute);
    }
  }

  private static void assertSame(
      NetworkDefinition definition, Backbone backbone, TokenBatch batch, Recompute recompute) {
    ParameterCount count = ParameterCount.of(definition);
    long arrays = new WorkingArrays(definition, recompute, SEQUENCES, LENGTH).bytes();
    // Not closed: the next network would begin with its arrays, which are of other sizes.
    LoraMoeNetwork network = fresh(definition, backbone, recompute);
    assertThat(count.all()).isEqualTo(network.host().size());
    assertThat(count.weights()).isEqualTo(network.weights().length());
    MemoryEstimate estimate =
        MemoryEstimate.fineTuning(definition, config().finetune(), BatchShape.LEAST);
    assertThat(estimate.averagedBytes())
        .isEqualTo(
            Float.BYTES
                * (network.host().parameters().length() + network.host().moments().length()));
    network.pass(batch, PassOptions.training(1));
    long training = network.workingBytes();
    assertThat(training).isBetween(arrays / 2, arrays);
    network.pass(batch, PassOptions.evaluation());
    assertThat(network.workingBytes()).isEqualTo(arrays);
  }

  @ParameterizedTest
  @CsvSource({"SEARCH, NONE", "FINE_TUNING, NONE", "SEARCH, BLOCKS", "FINE_TUNING, BLOCKS"})
  void arraysOfTwoReplicas(Stage stage, Recompute recompute) {
    Backbone backbone = TinyModels.llama(1);
    NetworkDefinition definition =
        TinyModels.definition(
            backbone, stage, TinyModels.unequal(backbone.config(), stage), 0.1, 0);
    // Half of them are more tokens than the first replica ever runs alone.
    int[] lengths = new int[26];
    Arrays.fill(lengths, 30);
    LoraMoeNetwork network = fresh(definition, backbone, recompute);
    network.pass(TinyModels.causal(1, lengths), PassOptions.training(1));
    network.pass(TinyModels.causal(1, lengths), PassOptions.evaluation());
    assertThat(network.workingBytes())
        .isEqualTo(new WorkingArrays(definition, recompute, lengths.length, 30).bytes());
    network.pass(TinyModels.causal(1, Arrays.copyOf(lengths, 12)), PassOptions.training(1));
    assertThat(network.workingBytes())
        .isEqualTo(new WorkingArrays(definition, recompute, lengths.length, 30).bytes());
  }

  /** A network whose working arrays no other has had. */
  private static LoraMoeNetwork fresh(
      NetworkDefinition definition, Backbone backbone, Recompute recompute) {
    LoraMoeNetwork network = TinyModels.network(definition, backbone, KERNELS, recompute);
    while (network.workingBytes() > startBytes(definition)) {
      network = TinyModels.network(definition, backbone, KERNELS, recompute);
    }
    return network;
  }

  /** Masks of the GSVs and scalings of the experts, which a network has before its first pass. */
  private static long startBytes(NetworkDefinition definition) {
    long scalings = definition.modules().stream().mapToLong(ModuleExperts::totalRank).sum();
    return Float.BYTES * (2 * ParameterCount.of(definition).gsvs() + scalings);
  }

  @ParameterizedTest
  @EnumSource(OuterGradient.class)
  void copiesThatASearchStepKeeps(OuterGradient outer) {
    Backbone backbone = TinyModels.llama(1);
    NetworkDefinition definition =
        TinyModels.definition(
            backbone, Stage.SEARCH, TinyModels.uniform(backbone.config()), 0.1, 0.1);
    LoraMoeNetwork network = fresh(definition, backbone, Recompute.NONE);
    TokenBatch batch = TinyModels.causal(1, LENGTH, LENGTH, LENGTH);
    network.pass(batch, PassOptions.training(1));
    long before = network.workingBytes();
    new BilevelStep(
            network,
            KERNELS,
            new SearchSettings(
                new AdamW(0.9, 0.999, 1e-8, 0),
                new LearningRate(1e-3, 0, 2),
                new AdamW(0.5, 0.999, 1e-8, 0),
                1e-3,
                outer,
                true,
                1,
                1))
        .run(0, batch, batch);
    MemoryEstimate estimate =
        MemoryEstimate.search(
            definition,
            config("search.estimator=straight-through", "search.outer-gradient=" + outer).search(),
            BatchShape.LEAST);
    assertThat(network.workingBytes() - before).isEqualTo(estimate.executor(1, 0).vectors());
  }

  @Test
  void recomputedBlocksShareWhatTheySave() {
    Backbone backbone = TinyModels.llama(1);
    NetworkDefinition definition =
        TinyModels.definition(
            backbone, Stage.SEARCH, TinyModels.uniform(backbone.config()), 0.1, 0.1);
    BatchShape batch = new BatchShape(SEQUENCES, LENGTH);
    long none = MemoryEstimate.search(definition, config().search(), batch).activations();
    long blocks =
        MemoryEstimate.search(definition, config("search.recompute=blocks").search(), batch)
            .activations();
    // Per token: queries, keys and values, what heads attend to, their probabilities, the middle,
    // two norms and the layers of the MLP, of one layer fewer.
    long block = 32 + 16 + 4 * LENGTH + 16 + 2 * 16 + 2 * 24 + 24;
    // The output, h, the routers' probabilities and weights, and a number for each norm: passes
    // without a backward pass have none of it for themselves, and no block.
    long kept = 16 + 3 * 12 + 2 * 4 + 2;
    assertThat(none - blocks).isEqualTo((2 * block + kept) * SEQUENCES * LENGTH * Float.BYTES);
    long tuned =
        MemoryEstimate.fineTuning(definition, config("finetune.recompute=blocks").finetune(), batch)
            .activations();
    assertThat(tuned).isEqualTo(blocks);
  }

  @Test
  void frozenTensorsOfTinyModels() {
    assertFrozen(TinyModels.llama(1));
    assertFrozen(TinyModels.bert(1));
  }

  @Test
  void frozenTensorsOfARealModel() throws IOException {
    String stories = GoldenFiles.models().resolve("stories260K-hf").toUri().toString();
    assertFrozen(ModelReader.load(stories, new Configuration()));
  }

  /** Tensors of two names count once. */
  private static void assertFrozen(Backbone backbone) {
    Set<INDArray> arrays = Collections.newSetFromMap(new IdentityHashMap<>());
    arrays.addAll(FrozenCopies.tensors(backbone).values());
    assertThat(backbone.config().parameters())
        .isEqualTo(arrays.stream().mapToLong(INDArray::length).sum());
  }

  @Test
  void allMiniLm() {
    // Without the pooler, which classifiers here do not read.
    assertThat(new BertConfig(384, 1536, 6, 12, 30522, 512, 2, 1e-12f).parameters())
        .isEqualTo(22_713_216 - 384 * 384 - 384);
  }

  @Test
  void frozenTensorsInFewerBytes() {
    MemoryEstimate estimate =
        new MemoryEstimate(1000, new ParameterCount(10, 40), 120, BatchShape.LEAST, 700);
    assertThat(estimate.keptAs(Precision.FLOAT32)).isEqualTo(estimate);
    assertThat(estimate.keptAs(Precision.BFLOAT16))
        .isEqualTo(new MemoryEstimate(500, new ParameterCount(10, 40), 120, BatchShape.LEAST, 700));
    assertThat(estimate.keptAs(Precision.INT8))
        .isEqualTo(new MemoryEstimate(250, new ParameterCount(10, 40), 120, BatchShape.LEAST, 700));
  }

  @Test
  void ofALargeRoundTheDriverHoldsAFewSlicesAtATime() {
    long parameters = 10_000_000;
    MemoryEstimate estimate =
        new MemoryEstimate(1000, new ParameterCount(0, parameters), 0, BatchShape.LEAST, 700);
    long averaged = 12 * parameters;
    long once = 64 << 20;
    for (int workers : new int[] {1, 4, 64}) {
      assertThat(estimate.driver(workers, 1))
          .isEqualTo(new DriverMemory(2 * averaged, averaged + 2 * once, once));
    }
    assertThat(estimate.driver(1, 3))
        .isEqualTo(new DriverMemory(6 * averaged, 3 * (averaged + 2 * once), once));
    assertThat(estimate.executor(1, 1).heap()).isEqualTo(2 * averaged + 8 * once);
  }

  @Test
  void sumsOfAProcess() {
    MemoryEstimate estimate =
        new MemoryEstimate(1000, new ParameterCount(10, 40), 120, BatchShape.LEAST, 700);
    assertThat(estimate.parameterBytes()).isEqualTo(200);
    assertThat(estimate.roundBytes(2, 4)).isEqualTo(6 * 600);
    ExecutorMemory two = estimate.executor(2, 1);
    assertThat(two).isEqualTo(new ExecutorMemory(1000, 400, 400, 800, 960, 1400, 3600));
    assertThat(two.offHeap()).isEqualTo(1000 + 400 + 400 + 800 + 960 + 1400);
    assertThat(estimate.driver(4, 1)).isEqualTo(new DriverMemory(1200, 5400, 2400));
    // The executors average: their number does not matter to the driver.
    assertThat(estimate.driver(8, 1)).isEqualTo(new DriverMemory(1200, 1800, 600));
    assertThat(estimate.driver(64, 1)).isEqualTo(estimate.driver(8, 1));
    assertThat(estimate.roundBytes(8, 8)).isEqualTo(17 * 600);
    assertThat(estimate.driver(2, 3)).isEqualTo(new DriverMemory(3600, 9000, 1200));
  }

  @Test
  void sequencesAreNoLongerThanTheModelReads() {
    Backbone backbone = TinyModels.bert(1);
    NetworkDefinition definition =
        TinyModels.definition(
            backbone, Stage.SEARCH, TinyModels.uniform(backbone.config()), 0.1, 0);
    int positions = backbone.config().maxPositions();
    assertThat(
            MemoryEstimate.search(definition, config().search(), new BatchShape(2, 10 * positions)))
        .isEqualTo(
            MemoryEstimate.search(definition, config().search(), new BatchShape(2, positions)));
  }

  @Test
  void batchesBeyondAllMemory() {
    Backbone backbone = TinyModels.llama(1);
    NetworkDefinition definition =
        TinyModels.definition(
            backbone, Stage.SEARCH, TinyModels.uniform(backbone.config()), 0.1, 0);
    long many = new WorkingArrays(definition, Recompute.NONE, 1, 1 << 25).bytes();
    assertThat(many).isBetween(1L << 25, 1L << 53);
    BertConfig large = new BertConfig(1 << 14, 1 << 16, 99, 64, 30522, 512, 2, 1e-12f);
    NetworkDefinition wide =
        new NetworkDefinition(
            "memory:large",
            large,
            Stage.FINE_TUNING,
            TinyModels.uniform(large),
            0,
            0,
            3,
            Pooling.MEAN,
            1);
    assertThat(new WorkingArrays(wide, Recompute.NONE, 63, 1 << 25).bytes()).isEqualTo(1L << 53);
    assertThatThrownBy(() -> new WorkingArrays(definition, Recompute.BLOCKS, 100_000_000, 30))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot run batches of 100000000 sequences of 30 tokens: together at most 2147483647");
  }

  @Test
  void anArrayIsSentInAboutItsSize() throws IOException {
    INDArray array = org.nd4j.linalg.factory.Nd4j.rand(1, 100_000);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(array);
    }
    assertThat(bytes.size()).isCloseTo(400_000, Percentage.withPercentage(1));
  }

  @Test
  void sizesInWords() {
    assertThat(ByteSize.text(12_345_678_901L)).isEqualTo("12.3 GB");
    assertThat(ByteSize.text(999_600_000)).isEqualTo("1.0 GB");
    assertThat(ByteSize.text(340_400_000)).isEqualTo("340 MB");
    assertThat(ByteSize.text(4_600)).isEqualTo("5 kB");
    assertThat(ByteSize.parse("5GB")).isEqualTo(5_000_000_000L);
    assertThat(ByteSize.parse("1.5 mib")).isEqualTo(3 << 19);
    assertThat(ByteSize.parse("20000B")).isEqualTo(20_000);
    assertThat(ByteSize.parse("2.01GB")).isEqualTo(2_010_000_000L);
    for (String wrong : List.of("5", "0.5B", "-1GB", "5XB", "")) {
      assertThatThrownBy(() -> ByteSize.parse(wrong))
          .isInstanceOf(UserException.class)
          .hasMessage(
              "Cannot use the size %s: expected a number with a unit, such as 500MB, 5GB or 2GiB",
              wrong);
    }
    assertThat(ByteSize.setting(1)).isEqualTo("1g");
    assertThat(ByteSize.setting((3L << 30) + 1)).isEqualTo("4g");
    assertThat(new ExecutorMemory(9_100_000_000L, 8, 3_000_000, 16, 1_000_000, 32, 0).parts())
        .isEqualTo(
            "backbone 9.1 GB, trainable 0 kB, gradients 4 MB, updaters 0 kB, activations 0 kB");
  }

  private static GuilomoConfig config(String... overrides) {
    return GuilomoConfig.load(null, List.of(overrides));
  }
}
