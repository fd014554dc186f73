package io.guilomo.search;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyModels;
import io.guilomo.training.LearningRate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Five search steps and the first gradients on tiny random models, with dropout, balance loss,
 * warm-up and clipping, against what this code computed when it agreed with the released code's
 * vectors. After an intended change, rewrite the numbers:
 *
 * <pre>mvn -pl common test -Dtest=TestOwnGolden -Dguilomo.golden.write=true</pre>
 */
class TestOwnGolden {

  private static final String WRITE = "guilomo.golden.write";
  private static final String RESOURCE = "golden-own/search-tiny.json";
  private static final String GRADIENTS = "gradients";
  private static final double TOLERANCE = 1e-4;
  private static final double ROUNDING = 1e-5;
  private static final int STEPS = 5;
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  @EnabledIfSystemProperty(named = WRITE, matches = "true")
  void write() throws IOException {
    ObjectNode root = JSON.createObjectNode();
    root.set("llama", trajectory(TinyModels.llama(1), KernelSelection.named("portable")));
    root.set("bert", trajectory(TinyModels.bert(1), KernelSelection.named("portable")));
    Path path = Path.of("src/test/resources").resolve(RESOURCE);
    Files.writeString(path, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n");
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void decoder(Kernels kernels) throws IOException {
    compare(trajectory(TinyModels.llama(1), kernels), expected("llama"));
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void encoder(Kernels kernels) throws IOException {
    compare(trajectory(TinyModels.bert(1), kernels), expected("bert"));
  }

  private static JsonNode expected(String model) throws IOException {
    try (InputStream in = TestOwnGolden.class.getClassLoader().getResourceAsStream(RESOURCE)) {
      return JSON.readTree(in).get(model);
    }
  }

  private static void compare(ArrayNode actual, JsonNode expected) {
    assertThat(expected).hasSize(STEPS);
    compareGradients(actual.get(0).get(GRADIENTS), expected.get(0).get(GRADIENTS));
    int moved = 0;
    for (int step = 0; step < STEPS; step++) {
      JsonNode ours = actual.get(step);
      JsonNode theirs = expected.get(step);
      assertThat(ours.get("choices"))
          .as("argmaxes after step %d", step)
          .isEqualTo(theirs.get("choices"));
      assertThat(ours.get("moved")).isEqualTo(theirs.get("moved"));
      moved += theirs.get("moved").asInt();
      for (String name :
          new String[] {"training", "validation", "balance", "gradient-norm", "validation-norm"}) {
        double value = theirs.get(name).asDouble();
        assertThat(ours.get(name).asDouble())
            .as("%s of step %d", name, step)
            .isCloseTo(value, Offset.offset(TOLERANCE * value));
      }
    }
    assertThat(moved).as("argmaxes moved").isPositive();
  }

  private static void compareGradients(JsonNode actual, JsonNode expected) {
    assertThat(actual.fieldNames()).toIterable().containsExactlyElementsOf(expected::fieldNames);
    Map<Boolean, Double> largest = new HashMap<>();
    expected
        .fields()
        .forEachRemaining(
            norm -> largest.merge(gsv(norm.getKey()), norm.getValue().asDouble(), Math::max));
    expected
        .fields()
        .forEachRemaining(
            norm -> {
              double value = norm.getValue().asDouble();
              // Where much cancels, what is left is rounding of the large ones.
              double rounding = ROUNDING * largest.get(gsv(norm.getKey()));
              assertThat(actual.get(norm.getKey()).asDouble())
                  .as("norm of the gradient of %s", norm.getKey())
                  .isCloseTo(value, Offset.offset(TOLERANCE * value + rounding));
            });
  }

  private static boolean gsv(String parameter) {
    return parameter.contains(".experts") || parameter.contains(".ranks.");
  }

  /** The norm of the gradient of each parameter at the first step. */
  private static ObjectNode gradients(LoraMoeNetwork network, TokenBatch batch) {
    network.pass(batch, PassOptions.training(11));
    network.download();
    ObjectNode norms = JSON.createObjectNode();
    for (String name : network.parameterNames()) {
      norms.put(name, network.gradient(name).norm2Number().doubleValue());
    }
    return norms;
  }

  private static ArrayNode trajectory(Backbone backbone, Kernels kernels) {
    SearchSettings settings =
        new SearchSettings(
            SearchSettings.INNER,
            new LearningRate(3e-3, 2, 8),
            SearchSettings.OUTER,
            3e-2,
            OuterGradient.SECOND_ORDER,
            true,
            1,
            7);
    ArrayNode steps = JSON.createArrayNode();
    try (LoraMoeNetwork network =
        TinyModels.network(
            TinyModels.definition(
                backbone, Stage.SEARCH, TinyModels.uniform(backbone.config()), 0.05, 0.01),
            backbone,
            kernels)) {
      TinyModels.shake(network, 3, 0.1);
      ObjectNode gradients = gradients(network, batch(backbone, 0));
      BilevelStep bilevel = new BilevelStep(network, kernels, settings);
      for (int step = 0; step < STEPS; step++) {
        SearchStepResult result =
            bilevel.run(step, batch(backbone, 2 * step), batch(backbone, 2 * step + 1));
        steps
            .addObject()
            .put("training", result.training().loss())
            .put("validation", result.validation().loss())
            .put("balance", result.training().balanceLoss())
            .put("gradient-norm", result.gradientNorm())
            .put("validation-norm", result.validationGradientNorm())
            .put("moved", result.movedChoices())
            .put(
                "choices",
                Arrays.stream(network.maskChoices())
                    .mapToObj(Integer::toString)
                    .collect(Collectors.joining()));
      }
      ((ObjectNode) steps.get(0)).set(GRADIENTS, gradients);
    }
    return steps;
  }

  private static TokenBatch batch(Backbone backbone, long seed) {
    return !TinyModels.classifies(backbone)
        ? TinyModels.causal(seed, 12, 7, 9)
        : TinyModels.classified(seed, 12, 7, 9);
  }
}
