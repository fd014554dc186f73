package io.guilomo.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.io.ConfigJson;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.Rope;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What keys of a decoder's config.json mean, and which are refused. */
class TestDecoderConfigs {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static BackboneConfig config(String architecture, String keys) throws IOException {
    ObjectNode root =
        (ObjectNode)
            JSON.readTree(
                """
                {"hidden_size":32,"intermediate_size":48,"num_hidden_layers":4,
                 "num_attention_heads":4,"num_key_value_heads":2,"vocab_size":64,"head_dim":8,
                 "max_position_embeddings":64}
                """);
    root.putArray("architectures").add(architecture);
    JsonNode given = JSON.readTree("{" + keys + "}");
    root.setAll((ObjectNode) given);
    return Families.config(new ConfigJson(root, "config.json"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "LlamaForCausalLM|\"hidden_act\":\"quick_gelu\"|hidden_act is quick_gelu, supported are ",
        "Gemma2ForCausalLM|\"hidden_activation\":\"selu\"|hidden_activation is selu, supported are ",
        "LlamaForCausalLM|\"rope_scaling\":{\"type\":\"mrope\"}|rope_scaling has type mrope, supported "
            + "are default, linear, dynamic, llama3, yarn and longrope",
        "LlamaForCausalLM|\"rope_parameters\":{\"rope_type\":\"proportional\"}|rope_parameters has type "
            + "proportional, supported are default, linear, dynamic, llama3, yarn and longrope",
        "LlamaForCausalLM|\"rope_scaling\":{\"rope_type\":\"linear\"}|factor is missing",
        "LlamaForCausalLM|\"rope_scaling\":{\"rope_type\":\"longrope\",\"short_factor\":[1,1]}|short_factor "
            + "has 2 entries, expected 4, half of the features of a head that are rotated",
        "LlamaForCausalLM|\"partial_rotary_factor\":0.5|partial_rotary_factor is 0.5, supported is 1",
        "Qwen3ForCausalLM|\"rope_parameters\":{\"partial_rotary_factor\":0.25}|partial_rotary_factor is "
            + "0.25, supported is 1",
        "Phi3ForCausalLM|\"partial_rotary_factor\":0.4|partial_rotary_factor is 0.4, which rotates 3 of 8 "
            + "features of a head, expected an even number",
        "Phi3ForCausalLM|\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}|rope_scaling has type linear, "
            + "supported are default and longrope",
        "Phi3ForCausalLM|\"lm_head_bias\":true|lm_head_bias is true, which is not supported",
        "Qwen2ForCausalLM|\"layer_types\":[\"full_attention\",\"chunked_attention\",\"full_attention\","
            + "\"full_attention\"]|layer_types has chunked_attention, supported are full_attention and "
            + "sliding_attention",
        "Qwen2ForCausalLM|\"layer_types\":[\"full_attention\"]|layer_types has 1 entries, num_hidden_layers "
            + "is 4",
        "Qwen2ForCausalLM|\"max_window_layers\":-1|max_window_layers is -1, expected an integer of at "
            + "least 0",
        "Gemma3ForCausalLM|\"use_bidirectional_attention\":true|use_bidirectional_attention is true, which "
            + "is not supported",
        "Gemma3ForCausalLM|\"rope_parameters\":{\"full_attention\":{}}|rope_parameters has no "
            + "sliding_attention",
        "LlamaForCausalLM|\"num_hidden_layers\":10001|num_hidden_layers is 10001, maximum is 10000",
        "Gemma3ForCausalLM|\"num_hidden_layers\":2000000000|num_hidden_layers is 2000000000, maximum is "
            + "10000",
        "Qwen2ForSequenceClassification|\"num_labels\":65537|its head has 65537 labels, maximum is "
            + "65536",
        "Gemma2ForCausalLM|\"attn_logit_softcapping\":-2|attn_logit_softcapping is -2, expected a positive "
            + "number"
      })
  void refusals(String architecture, String keys, String reason) {
    assertThatThrownBy(() -> config(architecture, keys))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(": " + reason);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "LlamaForCausalLM",
        "MistralForCausalLM",
        "Qwen2ForCausalLM",
        "Qwen3ForCausalLM",
        "Phi3ForCausalLM",
        "Gemma2ForCausalLM",
        "Gemma3ForCausalLM"
      })
  void attentionIsCausal(String architecture) throws IOException {
    assertThatThrownBy(() -> config(architecture, "\"is_causal\":false"))
        .isInstanceOf(UserException.class)
        .hasMessage("Cannot read config.json: is_causal is false, which is not supported");
    for (String causal : new String[] {"null", "true"}) {
      assertThat(config(architecture, "\"is_causal\":" + causal))
          .isEqualTo(config(architecture, ""));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Qwen3MoeForCausalLM",
    "MixtralForCausalLM",
    "PhiMoEForCausalLM",
    "GemmaForCausalLM",
    "Qwen2VLForConditionalGeneration"
  })
  void otherArchitecturesAreRefusedByName(String architecture) {
    assertThatThrownBy(() -> config(architecture, ""))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(architecture)
        .hasMessageContaining("gemma2")
        .hasMessageContaining("qwen3");
  }

  /** Where layers have no types of their own. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "LlamaForCausalLM|\"sliding_window\":5|0 0 0 0",
        "MistralForCausalLM|\"sliding_window\":5|5 5 5 5",
        "MistralForCausalLM|\"sliding_window\":null|0 0 0 0",
        "Qwen2ForCausalLM|\"sliding_window\":5,\"max_window_layers\":1|0 0 0 0",
        "Qwen2ForCausalLM|\"use_sliding_window\":true,\"sliding_window\":5,\"max_window_layers\":1|0 5 5 5",
        "Qwen3ForCausalLM|\"use_sliding_window\":true,\"sliding_window\":null|0 0 0 0",
        "Qwen3ForCausalLM|\"use_sliding_window\":true,\"sliding_window\":5,\"layer_types\":"
            + "[\"sliding_attention\",\"full_attention\",\"full_attention\",\"sliding_attention\"]|5 0 0 5",
        "Gemma2ForCausalLM|\"sliding_window\":5|5 0 5 0",
        "Gemma3ForCausalLM|\"sliding_window\":5|5 5 5 5",
        "Gemma3ForCausalLM|\"sliding_window\":5,\"sliding_window_pattern\":2|5 0 5 0",
        "Gemma3ForCausalLM|\"sliding_window\":5,\"_sliding_window_pattern\":3|5 5 0 5",
        "Phi3ForCausalLM|\"sliding_window\":5|5 5 5 5",
        "Phi3ForCausalLM||0 0 0 0"
      })
  void windows(String architecture, String keys, String expected) throws IOException {
    BackboneConfig config = config(architecture, keys == null ? "" : keys);
    StringBuilder windows = new StringBuilder();
    for (int layer = 0; layer < 4; layer++) {
      windows.append(layer == 0 ? "" : " ").append(config.attention(layer).window());
    }
    assertThat(windows).hasToString(expected);
  }

  /** {@code max_position_embeddings} is 64. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "\"rope_theta\":5|64",
        "\"rope_scaling\":{\"type\":\"linear\",\"factor\":4}|256",
        "\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":4}|2147483647",
        "\"rope_scaling\":{\"type\":\"yarn\",\"factor\":4,\"original_max_position_embeddings\":64}|256",
        "\"rope_scaling\":{\"type\":\"yarn\",\"factor\":4,\"original_max_position_embeddings\":16}|64"
      })
  void positions(String keys, int expected) throws IOException {
    assertThat(config("LlamaForCausalLM", keys).maxPositions()).isEqualTo(expected);
  }

  @Test
  void anOldNameOfLongRope() throws IOException {
    String factors = "\"short_factor\":[1,1,1,1],\"long_factor\":[2,2,2,2]}";
    for (String type : new String[] {"su", "yarn", "longrope"}) {
      BackboneConfig config =
          config("Phi3ForCausalLM", "\"rope_scaling\":{\"type\":\"" + type + "\"," + factors);
      assertThat(config.rotary(0).rope().scaling()).isInstanceOf(Rope.LongRope.class);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "LlamaForCausalLM, false, true",
    "LlamaForSequenceClassification, false, false",
    "LlamaModel, false, false",
    "LlamaModel, true, true",
    "Qwen2ForTokenClassification, false, false",
    "Gemma3TextModel, true, true"
  })
  void checkpointsWithoutAVocabularyHeadPredictNoTokens(
      String architecture, boolean tied, boolean predicts) throws IOException {
    BackboneConfig config = config(architecture, "\"tie_word_embeddings\":" + tied);
    assertThat(config.tasks().contains(Task.CAUSAL_LM)).isEqualTo(predicts);
    assertThat(config.tasks()).contains(Task.CLASSIFICATION);
  }
}
