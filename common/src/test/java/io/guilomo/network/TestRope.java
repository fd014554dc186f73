package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.family.Families;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestRope {

  private static final int HEAD_DIM = 128;
  private static final Percentage ROUNDING = Percentage.withPercentage(1e-10);
  private static final Rope LLAMA_3_1 = new Rope(500_000, new Rope.Llama3(8, 1, 4, 8192));

  @TempDir private Path directory;

  /** Numbers computed from the formula in decimal arithmetic of 40 digits. */
  @ParameterizedTest
  @CsvSource({
    // Wavelengths below 8192 / 4 stay.
    "0, 1",
    "1, 0.81461723385654472",
    "16, 0.037606030930863933",
    "28, 0.0032114459947525909",
    // Between 8192 / 4 and 8192 they are stretched the more the longer they are.
    "29, 0.0021665707635033587",
    "30, 0.0013718935677611381",
    "31, 0.00085675141291963208",
    "32, 0.00052484616099295468",
    "33, 0.00031269375038406512",
    "34, 0.00017850781276799641",
    // Above 8192 they are stretched by 8.
    "35, 9.5562123539646833e-05",
    "48, 6.6478698711812354e-06",
    "63, 3.0689259889145111e-07"
  })
  void frequenciesOfLlama31(int pair, double expected) {
    double[] frequencies = LLAMA_3_1.frequencies(HEAD_DIM, 1);
    assertThat(frequencies).hasSize(HEAD_DIM / 2);
    assertThat(frequencies[pair]).isCloseTo(expected, ROUNDING);
  }

  @Test
  void scaledFrequenciesFallAndStayWithinTheFactor() {
    double[] scaled = LLAMA_3_1.frequencies(HEAD_DIM, 1);
    double[] plain = new Rope(500_000, null).frequencies(HEAD_DIM, 1);
    for (int i = 0; i < scaled.length; i++) {
      assertThat(scaled[i]).isBetween(plain[i] / 8, plain[i]);
      assertThat(i == 0 || scaled[i] < scaled[i - 1]).as("falls at %d", i).isTrue();
    }
  }

  @Test
  void frequenciesWithoutScaling() {
    double[] frequencies = new Rope(10_000, null).frequencies(8, 1);
    assertThat(frequencies[0]).isEqualTo(1);
    assertThat(frequencies[1]).isCloseTo(0.1, ROUNDING);
    assertThat(frequencies[2]).isCloseTo(0.01, ROUNDING);
    assertThat(frequencies[3]).isCloseTo(0.001, ROUNDING);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "\"rope_type\":\"mrope\"|rope_scaling has type mrope, supported are default, linear, "
            + "dynamic, llama3, yarn and longrope",
        "\"rope_type\":\"llama3\",\"high_freq_factor\":4|low_freq_factor is missing",
        "\"rope_type\":\"llama3\",\"low_freq_factor\":1|high_freq_factor is missing",
        "\"rope_type\":\"llama3\",\"low_freq_factor\":0|low_freq_factor is 0, "
            + "expected a positive number",
        "\"rope_type\":\"llama3\",\"low_freq_factor\":4,\"high_freq_factor\":4|"
            + "high_freq_factor is 4.0, not above low_freq_factor 4.0",
        "\"rope_type\":\"llama3\",\"low_freq_factor\":1,\"high_freq_factor\":4|factor is missing",
        "\"rope_type\":\"llama3\",\"low_freq_factor\":1,\"high_freq_factor\":4,\"factor\":8|"
            + "original_max_position_embeddings is missing"
      })
  void refusesScalingsItDoesNotKnow(String scaling, String message) throws IOException {
    Files.writeString(
        directory.resolve("config.json"),
        """
        {"model_type":"llama","architectures":["LlamaForCausalLM"],"vocab_size":64,
         "hidden_size":32,"intermediate_size":48,"num_hidden_layers":2,"num_attention_heads":4,
         "num_key_value_heads":4,"hidden_act":"silu","rms_norm_eps":1e-06,
         "rope_scaling":{%s}}
        """
            .formatted(scaling));
    assertThatThrownBy(() -> Families.config(directory.toString(), new Configuration()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("config.json")
        .hasMessageEndingWith(": " + message);
  }
}
