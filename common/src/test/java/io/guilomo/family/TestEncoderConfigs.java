package io.guilomo.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.io.ConfigJson;
import io.guilomo.kernel.Activation;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.PretrainedHead;
import io.guilomo.network.Rope;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The configurations of the released encoders, and what becomes of others. */
class TestEncoderConfigs {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Parameters of the encoders alone: the released BERTs and RoBERTas have a pooler of 590,592. */
  @ParameterizedTest
  @CsvSource({
    "bert-base-uncased, bert, 108891648, 512",
    "roberta-base, roberta, 124055040, 512",
    "xlm-roberta-base, roberta, 277453056, 512",
    "camembert-base, roberta, 110031360, 512",
    "distilbert-base-uncased, distilbert, 66362880, 512",
    "ModernBERT-base, modernbert, 149014272, 8192"
  })
  void releasedEncodersHaveTheirSizes(String name, String family, long parameters, int positions) {
    BackboneConfig config = parse(released(name));
    assertThat(config.family()).isEqualTo(family);
    assertThat(config.parameters()).isEqualTo(parameters);
    assertThat(config.maxPositions()).isEqualTo(positions);
    assertThat(config.pretrainedHead()).isNull();
    assertThat(config.pooling(Pooling.AUTO)).isEqualTo(Pooling.MEAN);
    ObjectNode typed = released(name);
    typed.remove("architectures");
    assertThat(parse(typed)).as("by model_type").isEqualTo(config);
  }

  @Test
  void modernBertAlternates() {
    BackboneConfig config = parse(released("ModernBERT-base"));
    for (int layer = 0; layer < 22; layer++) {
      boolean global = layer % 3 == 0;
      assertThat(config.attention(layer).window()).isEqualTo(global ? 0 : 65);
      assertThat(config.rotary(layer).rope().theta()).isEqualTo(global ? 160_000 : 10_000);
    }
    ObjectNode typed = released("ModernBERT-base").put("num_hidden_layers", 2);
    typed.putArray("layer_types").add("sliding_attention").add("full_attention");
    assertThat(parse(typed).attention(0).window()).as("layer_types win").isEqualTo(65);
    assertThat(parse(typed).attention(1).window()).isZero();
  }

  @Test
  void modernBertScalesAllLayers() throws IOException {
    ObjectNode json = released("ModernBERT-base");
    json.set("rope_scaling", JSON.readTree("{\"rope_type\":\"linear\",\"factor\":2}"));
    BackboneConfig config = parse(json);
    assertThat(config.rotary(0).rope()).isEqualTo(new Rope(160_000, new Rope.Linear(2)));
    assertThat(config.rotary(1).rope()).isEqualTo(new Rope(10_000, new Rope.Linear(2)));
  }

  @Test
  void modernBertsLayersMayRotateAlike() {
    ObjectNode json = released("ModernBERT-base").put("global_rope_theta", 5000);
    json.remove("local_rope_theta");
    assertThat(parse(json).rotary(1).rope()).as("absent").isEqualTo(new Rope(10_000, null));
    json.putNull("local_rope_theta");
    assertThat(parse(json).rotary(1).rope()).as("null").isEqualTo(new Rope(5000, null));
  }

  /** The frozen part of the head counts, the classifier does not: it is trained. */
  @ParameterizedTest
  @CsvSource({
    "bert-base-uncased, BertForSequenceClassification, 590592, TANH, CLS, 0",
    "roberta-base, RobertaForSequenceClassification, 590592, TANH, CLS, 0",
    "distilbert-base-uncased, DistilBertForSequenceClassification, 590592, RELU, CLS, 0",
    "ModernBERT-base, ModernBertForSequenceClassification, 590592, GELU, MEAN, 1e-5"
  })
  void sequenceClassifiersBringTheirHead(
      String name,
      String architecture,
      long parameters,
      Activation activation,
      Pooling pooling,
      float epsilon) {
    ObjectNode json = released(name);
    long base = parse(json).parameters();
    json.putArray("architectures").add(architecture);
    json.putObject("id2label").put("1", "good").put("0", "bad").put("2", "so so");
    BackboneConfig config = parse(json);
    assertThat(config.pretrainedHead())
        .isEqualTo(
            new PretrainedHead(
                List.of("bad", "good", "so so"), true, pooling, -1, activation, epsilon));
    assertThat(config.pooling(Pooling.AUTO)).isEqualTo(Pooling.HEAD);
    assertThat(config.pooling(Pooling.MEAN)).isEqualTo(Pooling.MEAN);
    assertThat(config.parameters() - base).isEqualTo(parameters);

    json.remove("id2label");
    assertThat(parse(json).pretrainedHead().labels()).containsExactly("LABEL_0", "LABEL_1");
    json.put("num_labels", 65_537);
    assertThatThrownBy(() -> parse(json))
        .hasMessageContaining(": its head has 65537 labels, maximum is 65536");
    json.put("num_labels", 1);
    assertThat(parse(json).pretrainedHead().singleLabel()).as("a value").isFalse();
    json.put("num_labels", 4).put("problem_type", "multi_label_classification");
    assertThat(parse(json).pretrainedHead().classes()).isEqualTo(4);
    assertThat(parse(json).pretrainedHead().singleLabel()).as("any number").isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "gelu, GELU",
    "gelu_new, GELU_TANH",
    "gelu_pytorch_tanh, GELU_TANH",
    "relu, RELU",
    "silu, SILU"
  })
  void activations(String name, Activation activation) {
    assertThat(
            Activations.parse(
                new ConfigJson(JSON.createObjectNode().put("hidden_act", name), "it"),
                "hidden_act",
                "gelu"))
        .isEqualTo(activation);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          bert-base-uncased | hidden_act | "mish" | hidden_act is mish, supported are
          bert-base-uncased | position_embedding_type | "relative_key" | position_embedding_type is relative_key, supported is absolute
          bert-base-uncased | is_decoder | true | is_decoder is true, which is not supported
          bert-base-uncased | hidden_size | 770 | hidden_size is 770, not a multiple of num_attention_heads 12
          roberta-base | pad_token_id | "x" | pad_token_id is "x", expected a token
          roberta-base | max_position_embeddings | 2 | max_position_embeddings is 2, of which those up to pad_token_id 1 are not used
          distilbert-base-uncased | activation | "tan" | activation is tan, supported are
          distilbert-base-uncased | dim | 10 | dim is 10, not a multiple of n_heads 12
          bert-base-uncased | num_hidden_layers | 10001 | num_hidden_layers is 10001, maximum is 10000
          distilbert-base-uncased | n_layers | 2000000000 | n_layers is 2000000000, maximum is 10000
          ModernBERT-base | num_hidden_layers | 2000000000 | num_hidden_layers is 2000000000, maximum is 10000
          ModernBERT-base | layer_types | ["full_attention"] | layer_types has 1 entries, num_hidden_layers is 22
          ModernBERT-base | hidden_activation | "mish" | hidden_activation is mish, supported are
          ModernBERT-base | classifier_pooling | "max" | classifier_pooling is max, supported are cls and mean
          ModernBERT-base | hidden_size | 780 | hidden_size is 780, not an even multiple of num_attention_heads 12
          """)
  void refusesConfigs(String name, String key, String value, String reason) throws IOException {
    ObjectNode json = released(name);
    json.set(key, JSON.readTree(value));
    assertThatThrownBy(() -> parse(json))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(": " + reason);
  }

  private static BackboneConfig parse(ObjectNode json) {
    return Families.config(new ConfigJson(json, "config.json"));
  }

  private static ObjectNode released(String name) {
    String path = "/configs/" + name + ".json";
    try (InputStream in = TestEncoderConfigs.class.getResourceAsStream(path)) {
      return (ObjectNode) JSON.readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
