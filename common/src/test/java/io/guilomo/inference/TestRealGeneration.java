package io.guilomo.inference;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.ModelReader;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.io.Tokenizer;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyModels;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A model of 260,000 parameters that writes stories. */
class TestRealGeneration {

  private static final Configuration CONF = new Configuration();

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void storiesGreedyContinuation(Kernels kernels) throws IOException {
    JsonNode golden = GoldenFiles.parse(GoldenFiles.models().resolve("stories260K/golden.json"));
    int[] expected =
        StreamSupport.stream(golden.get("greedy_ids").spliterator(), false)
            .mapToInt(JsonNode::asInt)
            .toArray();
    try (LoraMoeNetwork network = network(kernels)) {
      // Three prompts on the same path: each must continue along it.
      int[] begins = {1, 60, 7};
      GenerationSettings settings = GenerationSettings.greedy(expected.length - 60, Set.of());
      List<int[]> responses =
          new Generator(network)
              .generate(
                  Arrays.stream(begins).mapToObj(begin -> Arrays.copyOf(expected, begin)).toList(),
                  settings);
      for (int i = 0; i < begins.length; i++) {
        assertThat(responses.get(i))
            .isEqualTo(
                Arrays.copyOfRange(expected, begins[i], begins[i] + settings.maxNewTokens()));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void tunedStoriesAreThoseOfRecomputation(Kernels kernels) throws IOException {
    try (LoraMoeNetwork network = network(kernels);
        Tokenizer tokenizer = Tokenizer.load(directory(), CONF)) {
      TinyModels.shake(network, 3, 0.02);
      List<int[]> prompts =
          List.of(
              tokenizer.encode("Once upon a time"),
              tokenizer.encode("Lily"),
              tokenizer.encode("The dog and the cat were friends. One day"));
      for (GenerationSettings settings :
          List.of(
              GenerationSettings.greedy(12, Set.of()),
              new GenerationSettings(12, 0.8, 0.95, 0, 11, Set.of()))) {
        assertThat(new Generator(network).generate(prompts, settings))
            .containsExactlyElementsOf(TestGenerator.recomputed(network, prompts, settings));
      }
    }
  }

  private static LoraMoeNetwork network(Kernels kernels) throws IOException {
    Backbone backbone = ModelReader.load(directory(), CONF, FrozenCopies.memory(kernels));
    List<ModuleExperts> modules =
        backbone.config().linearModules().stream()
            .map(module -> ModuleExperts.of(module, List.of(2, 3, 1), 16, RoutingMethod.topK(2)))
            .toList();
    return LoraMoeNetwork.create(
        new NetworkDefinition(
            directory(), backbone.config(), Stage.FINE_TUNING, modules, 0, 0, 0, Pooling.MEAN, 1),
        backbone,
        kernels);
  }

  private static String directory() {
    return GoldenFiles.models().resolve("stories260K-hf").toUri().toString();
  }
}
