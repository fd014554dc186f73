package io.guilomo.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.TokenBatch;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.ObservedKernels;
import io.guilomo.network.Backbone;
import io.guilomo.network.GoldenNetwork;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.TinyModels;
import io.guilomo.training.LearningRate;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Twenty search steps against the released code: losses, norms, every argmax, what each sub-step
 * computes, the final parameters.
 */
class TestGoldenBilevel {

  private static final double STEP_TOLERANCE = 5e-5;

  /** Of c: a difference of two gradients, whose rounding the division by 2ε enlarges. */
  private static final double DIFFERENCE_TOLERANCE = 2e-4;

  private static final double LOSS_TOLERANCE = 5e-6;
  static final int ROWS = 4;

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void trajectory(Kernels kernels) {
    for (Path file : GoldenFiles.list("bilevel", "*.safetensors")) {
      JsonNode json = GoldenFiles.json(file);
      Map<String, INDArray> golden = GoldenFiles.tensors(file);
      Map<String, long[]> longs = GoldenFiles.longs(file);
      Backbone backbone = GoldenNetwork.backbone(json, golden, "init/");
      RecordedStep recorded = new RecordedStep(kernels);
      Kernels observed = ObservedKernels.of(kernels, recorded);
      try (LoraMoeNetwork network =
          TinyModels.network(
              GoldenNetwork.search(json, backbone.config(), golden, "init/"), backbone, observed)) {
        GoldenNetwork.load(network, golden, "init/");
        SearchSettings settings = settings(json);
        BilevelStep bilevel = new BilevelStep(network, observed, settings);
        double largest = 0;
        JsonNode trajectory = json.get("trajectory");
        for (int step = 0; step < trajectory.size(); step++) {
          JsonNode row = trajectory.get(step);
          TokenBatch train = GoldenNetwork.batch(longs, "batch." + 2 * step + ".", ROWS);
          TokenBatch valid = GoldenNetwork.batch(longs, "batch." + (2 * step + 1) + ".", ROWS);
          network.download();
          INDArray before = network.host().parameters().dup();
          recorded.clear();
          SearchStepResult result = bilevel.run(step, train, valid);
          SubSteps subSteps = new SubSteps(network, recorded, settings, result);
          largest = Math.max(largest, loss(row, "unrolled", result.training().taskLoss()));
          largest = Math.max(largest, loss(row, "valid", result.validation().taskLoss()));
          largest = Math.max(largest, loss(row, "train", subSteps.trainLoss()));
          if (settings.outerGradient() != OuterGradient.FIRST_ORDER) {
            largest = Math.max(largest, loss(row, "w+", subSteps.plusLoss(before, train)));
            largest = Math.max(largest, loss(row, "w-", subSteps.minusLoss()));
            close(row.get("R").asDouble(), subSteps.epsilon());
            close(row.get("vector_norm").asDouble(), result.validationGradientNorm());
          }
          close(row.get("clip_total_norm_weights_only").asDouble(), result.gradientNorm());
          assertThat(choices(network, json))
              .as("argmaxes after step %d", step)
              .isEqualTo(row.get("alpha_argmax").asText());
          largest = Math.max(largest, stepTensors(network, subSteps, golden, step));
        }
        largest = Math.max(largest, compare(network, golden, "final/"));
        GoldenFiles.report("bilevel/" + file.getFileName(), largest);
      }
    }
  }

  static SearchSettings settings(JsonNode json) {
    assertThat(json.get("warmup_steps").asInt()).isZero();
    assertThat(json.get("max_grad_norm").asDouble()).isZero();
    return new SearchSettings(
        new AdamW(
            json.get("w_betas").get(0).asDouble(),
            json.get("w_betas").get(1).asDouble(),
            json.get("w_eps").asDouble(),
            json.get("w_weight_decay").asDouble()),
        LearningRate.constant(json.get("lr").asDouble()),
        new AdamW(
            json.get("alpha_betas").get(0).asDouble(),
            json.get("alpha_betas").get(1).asDouble(),
            json.get("alpha_eps").asDouble(),
            json.get("alpha_weight_decay").asDouble()),
        json.get("alpha_lr").asDouble(),
        mode(json.get("tag").asText()),
        false,
        0,
        1);
  }

  /**
   * A tag is the name of a mode, with or without words behind it: {@code second_order_wide_gap}.
   */
  private static OuterGradient mode(String tag) {
    for (OuterGradient mode : OuterGradient.values()) {
      String name = mode.name().toLowerCase(Locale.ROOT);
      if (tag.equals(name) || tag.startsWith(name + "_")) {
        return mode;
      }
    }
    throw new AssertionError("no mode is called " + tag);
  }

  @Test
  void tagsNameModes() {
    assertThat(mode("second_order_wide_gap")).isEqualTo(OuterGradient.SECOND_ORDER);
    assertThat(mode("first_order")).isEqualTo(OuterGradient.FIRST_ORDER);
    assertThat(mode("reference")).isEqualTo(OuterGradient.REFERENCE);
    assertThatThrownBy(() -> mode("third_order")).hasMessage("no mode is called third_order");
  }

  private static double loss(JsonNode row, String name, double actual) {
    double expected = row.get("losses").get(name).asDouble();
    assertThat(actual)
        .as(name + " loss")
        .isCloseTo(expected, Offset.offset(LOSS_TOLERANCE * expected));
    return Math.abs(actual - expected) / expected;
  }

  private static void close(double expected, double actual) {
    assertThat(actual).isCloseTo(expected, Offset.offset(STEP_TOLERANCE * expected));
  }

  /**
   * The argmax of every GSV in the file's order, a digit each; of the vectors themselves, not of
   * the masks.
   */
  static String choices(LoraMoeNetwork network, JsonNode json) {
    StringBuilder digits = new StringBuilder();
    Function<String, INDArray> parameters = GoldenNetwork.parameters(network);
    for (JsonNode name : json.get("alpha_order")) {
      digits.append(GoldenNetwork.find(network, parameters, name.asText()).argMax().getInt(0));
    }
    return digits.toString();
  }

  private static double stepTensors(
      LoraMoeNetwork network, SubSteps subSteps, Map<String, INDArray> golden, int step) {
    String prefix = "step" + step + ".";
    if (golden.keySet().stream().noneMatch(name -> name.startsWith(prefix + "w_after/"))) {
      return 0;
    }
    double largest = 0;
    for (Map.Entry<String, INDArray> vector : subSteps.vectors().entrySet()) {
      String name = vector.getKey();
      double tolerance = name.equals("implicit") ? DIFFERENCE_TOLERANCE : STEP_TOLERANCE;
      double error =
          GoldenNetwork.compareVector(
              network, vector.getValue(), golden, prefix + name + "/", tolerance);
      largest = Math.max(largest, error);
    }
    for (String name : List.of("w_after/", "alpha_after/")) {
      largest = Math.max(largest, compare(network, golden, prefix + name));
    }
    return largest;
  }

  private static double compare(
      LoraMoeNetwork network, Map<String, INDArray> golden, String prefix) {
    return GoldenNetwork.compare(
        network, GoldenNetwork.parameters(network), golden, prefix, name -> STEP_TOLERANCE);
  }
}
