package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.adapter.Adapter;
import io.guilomo.adapter.AdapterDescription;
import io.guilomo.adapter.AdapterDirectory;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.ModelReader;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Task;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.UniformAllocation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Networks over checkpoints that bring a head for sequence classification. */
class TestPretrainedHead {

  private static final Configuration CONF = new Configuration();
  private static final TokenBatch BATCH = TinyModels.classified(2, 9, 5, 3);

  @TempDir private Path directory;

  /** Before it has learned anything a network says what the checkpoint says. */
  @ParameterizedTest
  @ValueSource(strings = {"bert_seqcls", "roberta_seqcls", "modernbert_seqcls", "llama_seqcls"})
  void aNetworkStartsAsTheCheckpoint(String name) throws IOException {
    Path folder = GoldenFiles.require("families/" + name);
    JsonNode cases = GoldenFiles.parse(folder.resolve("expected.json")).get("cases");
    Kernels kernels = KernelsUnderTest.any();
    Backbone backbone = ModelReader.load(folder.toString(), CONF, FrozenCopies.memory(kernels));
    PretrainedClassifier classifier = ModelReader.classifier(folder.toString(), CONF);
    assertThat(classifier.weight()).isEqualTo(backbone.classifier().weight()).hasSize(3 * 32);
    assertThat(classifier.bias()).isEqualTo(backbone.classifier().bias()).hasSize(3);
    try (LoraMoeNetwork network =
        LoraMoeNetwork.create(definition(backbone, Pooling.AUTO, 3), backbone, kernels)) {
      float[][] logits = network.logitRows(batch(cases));
      for (int i = 0; i < cases.size(); i++) {
        JsonNode row = cases.get(i).get("logits");
        JsonNode expected = row.get(0).isArray() ? row.get(0) : row;
        for (int c = 0; c < 3; c++) {
          assertThat(logits[i][c]).isCloseTo((float) expected.get(c).asDouble(), within(2e-5f));
        }
      }
    }
  }

  private static TokenBatch batch(JsonNode cases) {
    List<Example> examples = new ArrayList<>();
    for (JsonNode each : cases) {
      int[] tokens = integers(each.get("input_ids"));
      int[] labels = new int[tokens.length];
      Arrays.fill(labels, TokenBatch.IGNORED);
      labels[0] = 0;
      int[] segments =
          each.has("token_type_ids")
              ? integers(each.get("token_type_ids"))
              : new int[tokens.length];
      examples.add(new Example(tokens, segments, labels));
    }
    return TokenBatch.of(examples);
  }

  private static int[] integers(JsonNode array) {
    int[] integers = new int[array.size()];
    Arrays.setAll(integers, i -> array.get(i).intValue());
    return integers;
  }

  static Stream<Backbone> backbones() {
    return Stream.of(
        TinyEncoders.roberta(),
        TinyEncoders.distilBert(),
        TinyEncoders.modernBert(),
        TinyEncoders.llama());
  }

  @ParameterizedTest
  @MethodSource("backbones")
  void theClassifierStartsFromOneThatFits(Backbone backbone) {
    PretrainedClassifier stored = backbone.classifier();
    NetworkDefinition fits = definition(backbone, Pooling.AUTO, 3);
    assertThat(fits.startsFromPretrainedHead()).isTrue();
    assertThat(started(fits, stored)).isEqualTo(stored.weight());
    assertThat(fits.pooling()).isEqualTo(Pooling.HEAD);
    NetworkDefinition more = definition(backbone, Pooling.AUTO, 4);
    assertThat(more.readsThroughPretrainedHead()).isTrue();
    assertThat(more.startsFromPretrainedHead()).isFalse();
    assertThat(started(more, stored)).isEqualTo(started(more, null));
    for (Pooling pooling : backbone.config().poolings()) {
      NetworkDefinition other = definition(backbone, pooling, 3);
      assertThat(other.readsThroughPretrainedHead()).isFalse();
      assertThat(started(other, stored)).isEqualTo(started(other, null));
    }
  }

  private static float[] started(NetworkDefinition definition, PretrainedClassifier classifier) {
    HostParameters host = HostParameters.initial(definition, classifier);
    return NamedParameters.of(definition, host.parameters())
        .view("classifier.weight")
        .dup()
        .data()
        .asFloat();
  }

  /** In all poolings, so with the frozen part of the head and without it. */
  @ParameterizedTest
  @MethodSource("backbones")
  void aSavedClassifierPredictsBitForBitAsBefore(Backbone backbone) throws IOException {
    Kernels kernels = KernelsUnderTest.any();
    Backbone frozen = FrozenCopies.of(backbone, kernels);
    for (Pooling pooling : TinyEncoders.poolings(backbone)) {
      AllocationPlan plan =
          new UniformAllocation(2, 2, RoutingMethod.topK(2), 16)
              .plan(backbone.config().linearModules());
      AdapterDescription description =
          new AdapterDescription(
              plan,
              "models/tiny",
              backbone.digest(),
              backbone.config().paths(),
              Task.CLASSIFICATION,
              List.of("no", "yes", "perhaps"),
              pooling,
              32,
              null);
      NetworkDefinition definition =
          new Adapter(description, Map.of()).definition(backbone.config(), "memory:tiny");
      try (LoraMoeNetwork trained = LoraMoeNetwork.create(definition, frozen, kernels)) {
        TinyModels.shake(trained, 3, 0.1);
        float[][] logits = trained.logitRows(BATCH);
        NamedParameters parameters = NamedParameters.of(definition, trained.host().parameters());
        AdapterDirectory saved =
            new AdapterDirectory(
                new org.apache.hadoop.fs.Path(directory.resolve(pooling + "").toUri()), CONF);
        saved.write(Adapter.of(description, parameters));
        Adapter read = saved.read();
        assertThat(read.description().pooling()).isEqualTo(pooling);
        try (LoraMoeNetwork again = read.network(frozen, "memory:tiny", kernels)) {
          assertThat(again.logitRows(BATCH)).isDeepEqualTo(logits);
        }
      }
    }
  }

  @Test
  void aDecoderReadsItsLastToken() {
    Kernels kernels = KernelsUnderTest.any();
    Backbone backbone = FrozenCopies.of(TinyEncoders.llama(), kernels);
    try (LoraMoeNetwork network =
        LoraMoeNetwork.create(definition(backbone, Pooling.HEAD, 3), backbone, kernels)) {
      float[][] logits = network.logitRows(tokens(new int[] {5, 6, 7}, new int[] {4, 9}));
      float[][] padded = network.logitRows(tokens(new int[] {5, 6, 7, 0, 0}, new int[] {4, 9, 0}));
      for (int i = 0; i < 2; i++) {
        assertThat(padded[i])
            .as("padding is passed over")
            .containsExactly(logits[i], within(1e-6f));
      }
      assertThat(network.logitRows(tokens(new int[] {5, 6, 7, 8}))[0]).isNotEqualTo(logits[0]);
    }
  }

  private static TokenBatch tokens(int[]... sequences) {
    return TokenBatch.of(
        Arrays.stream(sequences)
            .map(tokens -> new Example(tokens, new int[tokens.length], new int[tokens.length]))
            .toList());
  }

  @Test
  void labelsAreMatchedByName() {
    PretrainedHead head = PretrainedHead.last(List.of("NEGATIVE", "NEUTRAL", "POSITIVE"), true, -1);
    assertThat(head.order(List.of("positive", "negative", "neutral")))
        .isEqualTo(Optional.of(List.of(2, 0, 1)));
    assertThat(head.order(List.of("positive", "negative"))).isEmpty();
    assertThat(head.order(List.of("positive", "negative", "other"))).isEmpty();
    PretrainedClassifier ordered =
        new PretrainedClassifier(new float[] {1, 2, 3, 4, 5, 6}, new float[] {7, 8, 9})
            .ordered(List.of(2, 0, 1));
    assertThat(ordered.weight()).containsExactly(5, 6, 1, 2, 3, 4);
    assertThat(ordered.bias()).containsExactly(9, 7, 8);
  }

  private static NetworkDefinition definition(Backbone backbone, Pooling pooling, int classes) {
    List<ModuleExperts> modules =
        backbone.config().linearModules().stream()
            .map(module -> ModuleExperts.uniform(module, 2, 2, 4, RoutingMethod.topK(2)))
            .toList();
    return new NetworkDefinition(
        "memory:tiny", backbone.config(), Stage.FINE_TUNING, modules, 0, 0, classes, pooling, 5);
  }
}
