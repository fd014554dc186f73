package io.guilomo.network;

import static io.guilomo.kernel.KernelArrays.host;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.ModelReader;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Small real models behind fresh fine-tuning experts, which contribute nothing because {@code B}
 * starts at 0.
 */
class TestRealModels {

  private static final double TOLERANCE = 1e-4;

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void storiesLogitsAndLoss(Kernels kernels) throws IOException {
    JsonNode golden = GoldenFiles.parse(GoldenFiles.models().resolve("stories260K/golden.json"));
    int[] ids = ints(golden.get("greedy_ids"));
    try (LoraMoeNetwork network = network(stories(), 0, kernels)) {
      INDArray logits = host(kernels, network.logits(batch(Arrays.copyOf(ids, 32))));
      closeStart(logits, 0, golden.get("logits_after_BOS_first16"));
      closeStart(logits, 31, golden.get("logits_pos31_first16"));

      PassResult result = network.pass(batch(Arrays.copyOf(ids, 32)), PassOptions.evaluation());
      assertThat(result.labels()).isEqualTo(31);
      assertThat(result.taskLoss())
          .isCloseTo(
              golden.get("mean_nll_ids_1_to_31").asDouble(), Offset.offset(TOLERANCE * 0.18));
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void storiesGreedyContinuation(Kernels kernels) throws IOException {
    JsonNode golden = GoldenFiles.parse(GoldenFiles.models().resolve("stories260K/golden.json"));
    int[] expected = ints(golden.get("greedy_ids"));
    assertThat(expected).hasSizeGreaterThan(100);
    try (LoraMoeNetwork network = network(stories(), 0, kernels)) {
      // Attention is causal: one pass over the whole text gives the choice after each of its
      // beginnings.
      INDArray choices = host(kernels, network.logits(batch(expected))).argMax(1);
      int[] actual = new int[expected.length];
      actual[0] = expected[0];
      for (int t = 1; t < actual.length; t++) {
        actual[t] = choices.getInt(t - 1);
      }
      assertThat(actual).isEqualTo(expected);

      int[] generated = {expected[0]};
      for (int t = 1; t < 12; t++) {
        int[] longer = Arrays.copyOf(generated, t + 1);
        longer[t] = host(kernels, network.logits(batch(generated))).argMax(1).getInt(t - 1);
        generated = longer;
      }
      assertThat(generated).isEqualTo(Arrays.copyOf(expected, 12));
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void miniLmStates(Kernels kernels) throws IOException {
    JsonNode golden =
        GoldenFiles.parse(GoldenFiles.models().resolve("all-minilm-l6-v2/golden.json"));
    int[] ids = ints(golden.get("input_ids"));
    try (LoraMoeNetwork network = network(miniLm(), 2, kernels)) {
      // A second sequence in the batch must not be seen by the first.
      TokenBatch batch =
          TokenBatch.of(
              List.of(example(ids), example(new int[] {101, 7592, 2088, 2003, 2307, 2651, 102})));
      INDArray states = host(kernels, network.states(batch));
      INDArray first = ArrayViews.rows(states, 0, ids.length);
      double largest =
          GoldenFiles.assertClose(
              "CLS",
              ArrayViews.rows(first, 0, 1),
              row(golden.get("last_hidden_state_CLS")),
              TOLERANCE);
      largest =
          Math.max(
              largest,
              GoldenFiles.assertClose(
                  "mean", first.mean(true, 0), row(golden.get("mean_pooled")), TOLERANCE));
      GoldenFiles.report("models/all-minilm-l6-v2", largest);
    }
  }

  private static String stories() {
    return GoldenFiles.models().resolve("stories260K-hf").toUri().toString();
  }

  static String miniLm() {
    String directory = System.getProperty("guilomo.minilm");
    Assumptions.assumeTrue(
        directory != null && Files.isDirectory(Path.of(directory)),
        () -> "skipped: guilomo.minilm is %s, not a directory with the model".formatted(directory));
    return directory;
  }

  private static LoraMoeNetwork network(String directory, int classes, Kernels kernels)
      throws IOException {
    Backbone backbone =
        ModelReader.load(directory, new Configuration(), FrozenCopies.memory(kernels));
    return LoraMoeNetwork.create(
        definition(directory, backbone, List.of(2, 3, 1), classes), backbone, kernels);
  }

  /** Fresh experts of these ranks on every module. */
  static NetworkDefinition definition(
      String directory, Backbone backbone, List<Integer> ranks, int classes) {
    List<ModuleExperts> modules =
        backbone.config().linearModules().stream()
            .map(module -> ModuleExperts.of(module, ranks, 16, RoutingMethod.topK(2)))
            .toList();
    return new NetworkDefinition(
        directory, backbone.config(), Stage.FINE_TUNING, modules, 0, 0, classes, Pooling.MEAN, 1);
  }

  private static TokenBatch batch(int[] tokens) {
    return TokenBatch.of(List.of(new Example(tokens, new int[tokens.length], tokens)));
  }

  private static Example example(int[] tokens) {
    int[] labels = new int[tokens.length];
    Arrays.fill(labels, TokenBatch.IGNORED);
    labels[0] = 0;
    return new Example(tokens, new int[tokens.length], labels);
  }

  private static void closeStart(INDArray logits, int position, JsonNode expected) {
    INDArray row = row(expected);
    INDArray ours = ArrayViews.columns(ArrayViews.rows(logits, position, 1), 0, row.columns());
    GoldenFiles.assertClose("logits at " + position, ours, row, TOLERANCE);
  }

  private static INDArray row(JsonNode values) {
    float[] row = new float[values.size()];
    for (int i = 0; i < row.length; i++) {
      row[i] = (float) values.get(i).asDouble();
    }
    return Nd4j.createFromArray(row).reshape(1, row.length);
  }

  private static int[] ints(JsonNode values) {
    int[] ints = new int[values.size()];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = values.get(i).asInt();
    }
    return ints;
  }
}
