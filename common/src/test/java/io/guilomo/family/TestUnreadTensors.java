package io.guilomo.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.io.SafetensorsWriter;
import io.guilomo.network.Backbone;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Names that files give the tensors of a model, and tensors that the model does not need. */
class TestUnreadTensors {

  private static final Configuration CONF = new Configuration();
  private static final String LAYER = "layers.0.";

  @TempDir private Path directory;

  private final Map<String, INDArray> base = new LinkedHashMap<>();

  /** A LLaMA of one layer, by the names of its base model. */
  @BeforeEach
  void makeTensors() {
    add("embed_tokens.weight", 5, 8);
    add("norm.weight", 8);
    for (String norm : List.of("input_layernorm", "post_attention_layernorm")) {
      add(LAYER + norm + ".weight", 8);
    }
    for (String module : List.of("q", "k", "v", "o")) {
      add(LAYER + "self_attn." + module + "_proj.weight", 8, 8);
    }
    add(LAYER + "mlp.gate_proj.weight", 6, 8);
    add(LAYER + "mlp.up_proj.weight", 6, 8);
    add(LAYER + "mlp.down_proj.weight", 8, 6);
  }

  private void add(String name, long... shape) {
    base.put(name, Nd4j.rand(DataType.FLOAT, shape));
  }

  private Map<String, INDArray> under(String prefix) {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    base.forEach((name, tensor) -> tensors.put(prefix + name, tensor));
    return tensors;
  }

  private void write(Map<String, INDArray> tensors, boolean tied) throws IOException {
    Files.writeString(
        directory.resolve("config.json"),
        new ObjectMapper()
            .writeValueAsString(
                Map.of(
                    "architectures", List.of("LlamaForCausalLM"),
                    "hidden_size", 8,
                    "intermediate_size", 6,
                    "num_hidden_layers", 1,
                    "num_attention_heads", 2,
                    "vocab_size", 5,
                    "tie_word_embeddings", tied)));
    SafetensorsWriter.write(
        new org.apache.hadoop.fs.Path(directory.resolve("model.safetensors").toUri()),
        CONF,
        tensors,
        Map.of());
  }

  private ModelReader.Checked check() throws IOException {
    return ModelReader.check(directory.toString(), CONF);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.",
        "''",
        "language_model.model.",
        "model.language_model.",
        "base_model.model.model."
      })
  void aModelIsFoundUnderAnyPrefix(String quoted) throws IOException {
    write(under("model."), true);
    Backbone usual = ModelReader.load(directory.toString(), CONF);
    write(under(quoted.replace("'", "")), true);
    assertThat(ModelReader.load(directory.toString(), CONF).digest()).isEqualTo(usual.digest());
    assertThat(check().unread().describe()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "model., lm_head.weight",
    "language_model.model., language_model.lm_head.weight",
    "model.language_model., lm_head.weight"
  })
  void aHeadIsFoundBesideItsModel(String prefix, String head) throws IOException {
    Map<String, INDArray> tensors = under(prefix);
    tensors.put(head, Nd4j.rand(DataType.FLOAT, 5, 8));
    write(tensors, false);
    assertThat(check().unread().others()).isEmpty();
    tensors.remove(head);
    write(tensors, false);
    assertThatThrownBy(this::check)
        .hasMessage("Cannot load %s: tensor lm_head.weight is missing", directory);
  }

  @Test
  void theModelWithTheUsualPrefixIsTakenOfTwo() throws IOException {
    Map<String, INDArray> tensors = under("model.");
    tensors.putAll(under("draft."));
    write(tensors, true);
    assertThat(check().unread().others())
        .hasSize(base.size())
        .allMatch(n -> n.startsWith("draft."));
    tensors.keySet().removeIf(name -> name.startsWith("model."));
    tensors.putAll(under("teacher."));
    write(tensors, true);
    assertThatThrownBy(this::check)
        .hasMessage(
            "Cannot tell which model to load: embed_tokens.weight is there under each of draft.,"
                + " teacher.");
  }

  @Test
  void aTensorInsideALayerThatIsNotReadIsRefused() throws IOException {
    Map<String, INDArray> tensors = under("model.");
    for (String name : List.of("q_proj.bias", "k_proj.bias", "v_proj.bias", "q_norm.weight")) {
      tensors.put("model.layers.0.self_attn." + name, Nd4j.rand(DataType.FLOAT, 8));
    }
    write(tensors, true);
    assertThatThrownBy(this::check)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching(
            "Cannot load .*: its layers have tensors that its config.json says nothing of:"
                + " (model.layers.0.self_attn.[qkv]_(proj.bias|norm.weight)(, )?){4}; without them"
                + " the model computes something else, so use the config.json of these weights");
    tensors.put("model.layers.0.mlp.extra", Nd4j.rand(DataType.FLOAT, 8));
    tensors.put("model.layers.0.mlp.further", Nd4j.rand(DataType.FLOAT, 8));
    write(tensors, true);
    assertThatThrownBy(() -> ModelReader.load(directory.toString(), CONF))
        .hasMessageContaining(" and 2 more; without them");
  }

  @Test
  void buffersAreNotMissedAndOthersAreNamed() throws IOException {
    Map<String, INDArray> tensors = under("model.");
    tensors.put("model.layers.0.self_attn.rotary_emb.inv_freq", Nd4j.rand(DataType.FLOAT, 2));
    tensors.put("model.rotary_emb.inv_freq", Nd4j.rand(DataType.FLOAT, 2));
    tensors.put("model.layers.0.self_attn.masked_bias", Nd4j.rand(DataType.FLOAT, 1));
    tensors.put("embeddings.position_ids", Nd4j.rand(DataType.FLOAT, 1, 5));
    write(tensors, true);
    assertThat(check().unread().describe()).isEmpty();
    tensors.put("lm_head.weight", Nd4j.rand(DataType.FLOAT, 5, 8));
    tensors.put("model.layers.1.self_attn.q_proj.weight", Nd4j.rand(DataType.FLOAT, 8, 8));
    tensors.put("vision.layers.0.self_attn.q_proj.weight", Nd4j.rand(DataType.FLOAT, 8, 8));
    write(tensors, true);
    assertThat(new TreeSet<>(check().unread().others()))
        .containsExactly(
            "lm_head.weight",
            "model.layers.1.self_attn.q_proj.weight",
            "vision.layers.0.self_attn.q_proj.weight");
    assertThat(check().unread().describe()).get().asString().startsWith("not used: ");
  }

  /** A LLaMA's config.json over the weights of Qwen2. */
  @Test
  void aRenamedQwen2() {
    Path model = GoldenFiles.cases().resolve("models/qwen2-renamed-llama");
    assertThatThrownBy(() -> ModelReader.check(model.toString(), CONF))
        .hasMessageContaining("model.layers.0.self_attn.k_proj.bias")
        .hasMessageContaining(" and 2 more");
  }
}
