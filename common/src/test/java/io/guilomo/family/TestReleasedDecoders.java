package io.guilomo.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.family.FrozenTensors.Piece;
import io.guilomo.family.FrozenTensors.ReadMode;
import io.guilomo.family.FrozenTensors.Source;
import io.guilomo.io.ConfigJson;
import io.guilomo.io.FloatSink;
import io.guilomo.model.LinearModule;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.Rotary;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Configurations of published checkpoints, and how many parameters their files have. */
class TestReleasedDecoders {

  @ParameterizedTest
  @CsvSource({
    "Llama-3.2-1B, llama, 1235814400, 131072",
    "SmolLM2-135M, llama, 134515008, 8192",
    "TinyLlama-1.1B, llama, 1100048384, 2048",
    "Mistral-7B-v0.3, mistral, 7248023552, 32768",
    "Qwen2.5-0.5B, qwen2, 494032768, 32768",
    "Qwen3-0.6B, qwen3, 596049920, 40960",
    "gemma-2-2b, gemma2, 2614341888, 8192",
    "gemma-3-270m, gemma3, 268098176, 32768",
    // 4,300,079,472 less 416,866,032 of the vision tower and 2,950,272 of the projector.
    "gemma-3-4b, gemma3, 3880263168, 131072",
    "Phi-3.5-mini, phi3, 3821079552, 131072",
    "Phi-4-mini, phi3, 3836021760, 131072"
  })
  void parameters(String model, String family, long parameters, int positions) throws IOException {
    BackboneConfig config = config(model);
    assertThat(config.family()).isEqualTo(family);
    assertThat(config.parameters()).isEqualTo(parameters);
    assertThat(read(config)).as("elements that are read").isEqualTo(parameters);
    assertThat(config.maxPositions()).isEqualTo(positions);
  }

  @Test
  void layersOfGemma3() throws IOException {
    BackboneConfig small = config("gemma-3-270m");
    assertThat(small.attention(4).window()).isEqualTo(512);
    assertThat(small.attention(5).window()).isZero();
    assertThat(small.rotary(4).rope().theta()).isEqualTo(1e4);
    assertThat(small.rotary(5).rope().theta()).isEqualTo(1e6);
    LinearModule query = small.linearModules().get(0);
    assertThat(small.paths().inHead(query)).isEqualTo("model.layers.0.self_attn.q_proj");
    BackboneConfig large = config("gemma-3-4b");
    assertThat(large.paths().inHead(query))
        .as("in Gemma3ForConditionalGeneration")
        .isEqualTo("model.language_model.layers.0.self_attn.q_proj");
    assertThat(large.attention(32).window()).isEqualTo(1024);
    assertThat(large.attention(29).window()).isZero();
    assertThat(large.rotary(29).rope().frequencies(256, 1)[0]).isEqualTo(1 / 8.0);
    assertThat(large.rotary(28).rope().frequencies(256, 1)[0]).isEqualTo(1);
  }

  @Test
  void ropeOfPhi4() throws IOException {
    Rotary.Shape shape = config("Phi-4-mini").rotary(0);
    assertThat(shape.rotated()).isEqualTo(96);
    // sqrt(1 + ln 32 / ln 4096)
    assertThat(shape.rope().magnitude()).isCloseTo(Math.sqrt(1 + 5 / 12.0), within(1e-12));
    assertThat(shape.rope().frequencies(96, 4096)[47])
        .isCloseTo(47.77 * shape.rope().frequencies(96, 4097)[47], within(1e-12));
  }

  private static BackboneConfig config(String model) throws IOException {
    String file = "/released/" + model + ".json";
    try (InputStream in = TestReleasedDecoders.class.getResourceAsStream(file)) {
      return Families.config(new ConfigJson(new ObjectMapper().readTree(in), model));
    }
  }

  /** Elements of the tensors that the family asks for. */
  private static long read(BackboneConfig config) throws IOException {
    long[] elements = {0};
    Source counting =
        new Source() {
          @Override
          public void read(Piece piece, FloatSink target, MessageDigest digest) {
            throw new AssertionError("no values are needed");
          }

          @Override
          public void check(Piece piece) {
            elements[0] += Arrays.stream(piece.shape()).reduce(1, Math::multiplyExact);
          }
        };
    ServiceLoader.load(ModelFamily.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(family -> family.name().equals(config.family()))
        .findFirst()
        .orElseThrow()
        .read(config, new FrozenTensors(counting, ReadMode.SHAPES, null));
    return elements[0];
  }
}
