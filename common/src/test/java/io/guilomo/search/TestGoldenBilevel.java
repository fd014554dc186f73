package io.guilomo.search;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.backbone.LlamaBackbone;
import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.GoldenNetwork;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.training.LearningRate;
import java.nio.file.Path;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Twenty search steps against the released code: losses, norms, every argmax, the final parameters.
 */
class TestGoldenBilevel {

  private static final double STEP_TOLERANCE = 5e-5;
  private static final double LOSS_TOLERANCE = 5e-6;

  @ParameterizedTest
  @MethodSource("io.guilomo.network.KernelChoices#all")
  void trajectory(Kernels kernels) {
    for (Path file : GoldenFiles.list("bilevel", "*.safetensors")) {
      JsonNode json = GoldenFiles.json(file);
      Map<String, INDArray> golden = GoldenFiles.tensors(file);
      Map<String, long[]> longs = GoldenFiles.longs(file);
      LlamaBackbone backbone = GoldenNetwork.backbone(golden, "init/");
      try (LoraMoeNetwork network =
          LoraMoeNetwork.create(
              GoldenNetwork.search(backbone.config(), 4, 4, 2, 16), backbone, kernels)) {
        GoldenNetwork.load(network, golden, "init/");
        BilevelStep bilevel = new BilevelStep(network, kernels, settings(json));
        double largest = 0;
        JsonNode trajectory = json.get("trajectory");
        for (int step = 0; step < trajectory.size(); step++) {
          JsonNode row = trajectory.get(step);
          SearchStepResult result =
              bilevel.run(
                  step,
                  GoldenNetwork.batch(longs, "batch." + 2 * step + ".", 4),
                  GoldenNetwork.batch(longs, "batch." + (2 * step + 1) + ".", 4));
          largest = Math.max(largest, loss(row, "unrolled", result.training().taskLoss()));
          largest = Math.max(largest, loss(row, "valid", result.validation().taskLoss()));
          close(row.get("vector_norm").asDouble(), result.validationGradientNorm());
          close(row.get("clip_total_norm_weights_only").asDouble(), result.gradientNorm());
          assertThat(choices(network, json))
              .as("argmaxes after step %d", step)
              .isEqualTo(row.get("alpha_argmax").asText());
          largest = Math.max(largest, stepTensors(network, golden, step));
        }
        largest =
            Math.max(
                largest,
                GoldenNetwork.compare(
                    network, network::parameter, golden, "final/", name -> STEP_TOLERANCE));
        GoldenFiles.report("bilevel/" + file.getFileName(), largest);
      }
    }
  }

  private static SearchSettings settings(JsonNode json) {
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
        json.get("tag").asText().startsWith("reference")
            ? OuterGradient.REFERENCE
            : OuterGradient.SECOND_ORDER,
        false,
        0,
        1);
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
  private static String choices(LoraMoeNetwork network, JsonNode json) {
    StringBuilder digits = new StringBuilder();
    for (JsonNode name : json.get("alpha_order")) {
      digits.append(
          GoldenNetwork.find(network, network::parameter, name.asText()).argMax().getInt(0));
    }
    return digits.toString();
  }

  private static double stepTensors(
      LoraMoeNetwork network, Map<String, INDArray> golden, int step) {
    String prefix = "step" + step + ".";
    if (golden.keySet().stream().noneMatch(name -> name.startsWith(prefix + "w_after/"))) {
      return 0;
    }
    double largest =
        GoldenNetwork.compare(
            network, network::parameter, golden, prefix + "w_after/", name -> STEP_TOLERANCE);
    return Math.max(
        largest,
        GoldenNetwork.compare(
            network, network::parameter, golden, prefix + "alpha_after/", name -> STEP_TOLERANCE));
  }
}
