package io.guilomo.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.io.SafetensorsWriter;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.CausalHead;
import io.guilomo.network.Rope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class TestFamilies {

  private static final Configuration CONF = new Configuration();

  /**
   * Two layers, hidden 8, four heads of 2 features, two key-value heads, intermediate 6, vocabulary
   * 5.
   */
  private static final String LLAMA =
      """
      {"architectures":["LlamaForCausalLM"],"hidden_size":8,"intermediate_size":6,"num_hidden_layers":2,
       "num_attention_heads":4,"num_key_value_heads":2,"vocab_size":5,"rms_norm_eps":1e-5,"hidden_act":"silu"}
      """;

  @TempDir Path dir;

  @Test
  void llama() throws IOException {
    Map<String, INDArray> tensors = llamaTensors();
    write(LLAMA, tensors);
    Backbone backbone = load();
    assertThat(backbone.config())
        .isEqualTo(
            new LlamaConfig(8, 6, 2, 4, 2, 2, 5, 2048, 1e-5f, new Rope(10000, null), 0, false));
    String layer = "block-1.";
    String prefix = "model.layers.1.";
    assertThat(KernelArrays.matrix(backbone.matrix(layer + "qkv.weight")))
        .isEqualTo(
            Nd4j.vstack(
                tensors.get(prefix + "self_attn.q_proj.weight"),
                tensors.get(prefix + "self_attn.k_proj.weight"),
                tensors.get(prefix + "self_attn.v_proj.weight")));
    assertThat(KernelArrays.matrix(backbone.matrix(layer + "gateUp.weight")))
        .isEqualTo(
            Nd4j.vstack(
                tensors.get(prefix + "mlp.gate_proj.weight"),
                tensors.get(prefix + "mlp.up_proj.weight")));
    assertThat(KernelArrays.matrix(backbone.matrix(layer + "o.weight")))
        .isEqualTo(tensors.get(prefix + "self_attn.o_proj.weight"));
    assertThat(KernelArrays.matrix(backbone.matrix(layer + "down.weight")))
        .isEqualTo(tensors.get(prefix + "mlp.down_proj.weight"));
    assertThat(backbone.vector(layer + "attentionNorm.weight"))
        .isEqualTo(tensors.get(prefix + "input_layernorm.weight"));
    assertThat(backbone.vector(layer + "mlpNorm.weight"))
        .isEqualTo(tensors.get(prefix + "post_attention_layernorm.weight"));
    assertThat(KernelArrays.matrix(backbone.matrix(Backbone.WORDS)))
        .isEqualTo(tensors.get("model.embed_tokens.weight"));
    assertThat(backbone.vector(CausalHead.NORM + ".weight"))
        .isEqualTo(tensors.get("model.norm.weight"));
    assertThat(KernelArrays.matrix(backbone.matrix(CausalHead.WEIGHT)))
        .isEqualTo(tensors.get("lm_head.weight"));
    assertThat(backbone.digest()).matches("[0-9a-f]{64}");
  }

  @Test
  void tiedHeadIsTheEmbedding() throws IOException {
    Map<String, INDArray> tensors = llamaTensors();
    tensors.remove("lm_head.weight");
    write(LLAMA.replace("\"silu\"", "\"silu\",\"tie_word_embeddings\":true"), tensors);
    Backbone backbone = load();
    assertThat(backbone.matrix(CausalHead.WEIGHT)).isSameAs(backbone.matrix(Backbone.WORDS));
    assertThat(((LlamaConfig) backbone.config()).tiedHead()).isTrue();
  }

  @Test
  void shardsLoadLikeOneFile() throws IOException {
    Map<String, INDArray> tensors = llamaTensors();
    write(LLAMA, tensors);
    String digest = load().digest();
    Files.delete(dir.resolve("model.safetensors"));
    writeShards(tensors);
    assertThat(load().digest()).isEqualTo(digest);
    assertThat(KernelArrays.matrix(load().matrix(CausalHead.WEIGHT)))
        .isEqualTo(tensors.get("lm_head.weight"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../b.safetensors", "/b.safetensors", "..", "", "sub/b.safetensors", "file:b"})
  void refusesShardsElsewhere(String shard) throws IOException {
    writeShards(llamaTensors());
    Path index = dir.resolve("model.safetensors.index.json");
    Files.writeString(index, Files.readString(index).replaceFirst("b\\.safetensors", shard));
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching(
            "Cannot read .*index.json: tensor .* is in \"%s\", which is not a plain file name"
                .formatted(shard));
  }

  @Test
  void refusesShardThatIsAbsent() throws IOException {
    writeShards(llamaTensors());
    Files.delete(dir.resolve("b.safetensors"));
    assertThatThrownBy(this::load)
        .hasMessage(
            "Cannot read %s/model.safetensors.index.json: shard b.safetensors is not in the directory",
            path());
  }

  @Test
  void refusesIndexThatIsWrong() throws IOException {
    writeShards(llamaTensors());
    Path index = dir.resolve("model.safetensors.index.json");
    Files.writeString(
        index,
        Files.readString(index)
            .replace(
                "\"model.norm.weight\":\"b.safetensors\"",
                "\"model.norm.weight\":\"a.safetensors\"")
            .replace(
                "\"lm_head.weight\":\"b.safetensors\"", "\"lm_head.weight\":\"a.safetensors\""));
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching(
            "Cannot read .*/a.safetensors: it has no tensor (model.norm|lm_head).weight");
    Files.writeString(index, "{\"metadata\":{}}");
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot read %s: it has no weight_map", index);
  }

  @Test
  void digestTellsValues() throws IOException {
    Map<String, INDArray> tensors = llamaTensors();
    write(LLAMA, tensors);
    String digest = load().digest();
    assertThat(load().digest()).isEqualTo(digest);
    tensors.get("model.norm.weight").putScalar(0, 17);
    write(LLAMA, tensors);
    assertThat(load().digest()).isNotEqualTo(digest);
  }

  @Test
  void refusesTensors() throws IOException {
    Map<String, INDArray> tensors = llamaTensors();
    INDArray key = tensors.remove("model.layers.1.self_attn.k_proj.weight");
    write(LLAMA, tensors);
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot load %s: tensor model.layers.1.self_attn.k_proj.weight is missing", path());
    tensors.put("model.layers.1.self_attn.k_proj.weight", key.transpose());
    write(LLAMA, tensors);
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot load %s: tensor model.layers.1.self_attn.k_proj.weight has shape [8, 4], expected [4, 8]",
            path());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "\"architectures\"|\"x\"|its config.json names neither architectures nor model_type",
        "\"silu\"|\"selu\"|hidden_act is selu, supported are gelu, gelu_fast, gelu_new, gelu_python, "
            + "gelu_pytorch_tanh, relu, silu, swish, tanh",
        "\"silu\"|\"silu\",\"attention_bias\":true|tensor model.layers.0.self_attn.q_proj.bias is missing",
        "\"silu\"|\"silu\",\"mlp_bias\":true|tensor model.layers.0.mlp.gate_proj.bias is missing",
        "\"silu\"|\"silu\",\"mlp_bias\":3|mlp_bias is 3, expected true or false",
        "\"silu\"|\"silu\",\"quantization_config\":{\"quant_method\":\"awq\"}|it has a quantization_config (awq), "
            + "and weights must be floating-point numbers; take the model that was quantized, or dequantize this "
            + "one with python3 -c \"import transformers as t; m = t.LlamaForCausalLM.from_pretrained('MODEL'); "
            + "m.dequantize(); m.save_pretrained('NEW')\" and copy the tokenizer's files",
        "\"silu\"|\"silu\",\"text_config\":{\"quantization_config\":{}}|it has a quantization_config, and "
            + "weights must be floating-point numbers; take the model that was quantized, or dequantize this "
            + "one with python3 -c \"import transformers as t; m = t.LlamaForCausalLM.from_pretrained('MODEL'); "
            + "m.dequantize(); m.save_pretrained('NEW')\" and copy the tokenizer's files",
        "\"hidden_size\":8|\"hidden\":8|hidden_size is missing",
        "\"hidden_size\":8|\"hidden_size\":null|hidden_size is missing",
        "\"hidden_size\":8|\"hidden_size\":-8|hidden_size is -8, expected a positive integer",
        "\"hidden_size\":8|\"hidden_size\":\"8\"|hidden_size is \"8\", expected a positive integer",
        "\"hidden_size\":8|\"hidden_size\":4294967304|hidden_size is 4294967304, expected a positive integer",
        "\"hidden_size\":8|\"hidden_size\":10|hidden_size is 10, not a multiple of num_attention_heads 4",
        "\"hidden_size\":8|\"hidden_size\":4|head_dim is 1, rotary positions need an even number",
        "\"num_key_value_heads\":2|\"num_key_value_heads\":3|num_attention_heads is 4, not a multiple of "
            + "num_key_value_heads 3",
        "1e-5|-1|rms_norm_eps is -1, expected a positive number",
        "\"silu\"|\"silu\",\"rope_scaling\":{\"type\":\"mrope\",\"factor\":2}|rope_scaling has type mrope, "
            + "supported are default, linear, dynamic, llama3, yarn and longrope",
        "\"silu\"|\"silu\",\"rope_scaling\":{\"rope_type\":\"llama3\"}|low_freq_factor is missing",
        "\"silu\"|\"silu\",\"rope_scaling\":3|rope_scaling is 3, expected an object",
      })
  void refusesConfigs(String part, String replacement, String reason) throws IOException {
    write(LLAMA.replace(part, replacement), llamaTensors());
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching("Cannot (load|read) .*" + Pattern.quote(": " + reason));
  }

  @Test
  void llama3Rope() throws IOException {
    String scaling =
        """
        "silu","rope_theta":500000.0,"rope_scaling":{"factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,
         "original_max_position_embeddings":8192,"rope_type":"llama3"},"max_position_embeddings":131072
        """;
    write(LLAMA.replace("\"silu\"", scaling), llamaTensors());
    LlamaConfig config = (LlamaConfig) Families.config(dir.toString(), CONF);
    assertThat(config.rope()).isEqualTo(new Rope(500000, new Rope.Llama3(8, 1, 4, 8192)));
    assertThat(config.maxPositions()).isEqualTo(131072);
  }

  @Test
  void ropeParametersOfTransformers5() throws IOException {
    write(
        LLAMA.replace(
            "\"silu\"",
            "\"silu\",\"rope_parameters\":{\"rope_type\":\"default\",\"rope_theta\":20000}"),
        llamaTensors());
    assertThat(((LlamaConfig) Families.config(dir.toString(), CONF)).rope())
        .isEqualTo(new Rope(20000, null));
  }

  @ParameterizedTest
  @CsvSource({"4096, 4096", "null, 0", ", 4096"})
  void mistralWindow(String given, int window) throws IOException {
    String mistral =
        LLAMA.replace("\"architectures\":[\"LlamaForCausalLM\"]", "\"model_type\":\"mistral\"");
    String key = given == null ? "" : ",\"sliding_window\":" + given;
    write(mistral.replace("\"silu\"", "\"silu\",\"head_dim\":4" + key), llamaTensors());
    LlamaConfig config = (LlamaConfig) Families.config(dir.toString(), CONF);
    assertThat(config.window(1)).isEqualTo(window);
    assertThat(config.headDim()).isEqualTo(4);
    assertThat(config.keyValueHeads()).isEqualTo(2);
  }

  static Stream<Path> goldenModels() {
    return GoldenFiles.list("model", "tiny_*").stream();
  }

  @ParameterizedTest
  @MethodSource
  void goldenModels(Path golden) throws IOException {
    Files.copy(golden.resolve("config.json"), dir.resolve("config.json"));
    Files.copy(golden.resolve("model.f32.safetensors"), dir.resolve("model.safetensors"));
    Backbone backbone = load();
    Map<String, INDArray> tensors = GoldenFiles.tensors(golden.resolve("model.f32.safetensors"));
    LlamaConfig config = (LlamaConfig) backbone.config();
    int key = config.keyValueHeads() * config.headDim();
    int query = config.heads() * config.headDim();
    assertThat(
            KernelArrays.matrix(backbone.matrix("block-1.qkv.weight"))
                .get(NDArrayIndex.interval(query + key, query + 2 * key)))
        .isEqualTo(tensors.get("model.layers.1.self_attn.v_proj.weight"));
    assertThat(config.epsilon()).isEqualTo(1e-6f);
    GoldenFiles.report("model/" + golden.getFileName(), 0);
  }

  @Test
  void stories260k() throws IOException {
    Path model = GoldenFiles.models().resolve("stories260K-hf");
    Backbone backbone = ModelReader.load(model.toString(), CONF);
    assertThat(backbone.config().layers()).isEqualTo(5);
    assertThat(backbone.matrix(CausalHead.WEIGHT)).isSameAs(backbone.matrix(Backbone.WORDS));
    assertThat(backbone.config().linearModules()).hasSize(35);
    assertThat(KernelArrays.matrix(backbone.matrix("block-4.qkv.weight")).shape())
        .containsExactly(64 + 2 * 32, 64);
    assertThat(KernelArrays.matrix(backbone.matrix("block-4.gateUp.weight")).shape())
        .containsExactly(2 * 172, 64);
  }

  /** Random tensors of {@link #LLAMA}. */
  private static Map<String, INDArray> llamaTensors() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put("model.embed_tokens.weight", new long[] {5, 8});
    for (int layer = 0; layer < 2; layer++) {
      String prefix = "model.layers." + layer + ".";
      shapes.put(prefix + "input_layernorm.weight", new long[] {8});
      shapes.put(prefix + "self_attn.q_proj.weight", new long[] {8, 8});
      shapes.put(prefix + "self_attn.k_proj.weight", new long[] {4, 8});
      shapes.put(prefix + "self_attn.v_proj.weight", new long[] {4, 8});
      shapes.put(prefix + "self_attn.o_proj.weight", new long[] {8, 8});
      shapes.put(prefix + "post_attention_layernorm.weight", new long[] {8});
      shapes.put(prefix + "mlp.gate_proj.weight", new long[] {6, 8});
      shapes.put(prefix + "mlp.up_proj.weight", new long[] {6, 8});
      shapes.put(prefix + "mlp.down_proj.weight", new long[] {8, 6});
    }
    shapes.put("model.norm.weight", new long[] {8});
    shapes.put("lm_head.weight", new long[] {5, 8});
    Nd4j.getRandom().setSeed(3);
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    shapes.forEach((name, shape) -> tensors.put(name, Nd4j.rand(DataType.FLOAT, shape)));
    return tensors;
  }

  private void write(String config, Map<String, INDArray> tensors) throws IOException {
    Files.writeString(dir.resolve("config.json"), config);
    SafetensorsWriter.write(file("model.safetensors"), CONF, tensors, Map.of());
  }

  private void writeShards(Map<String, INDArray> tensors) throws IOException {
    Map<String, Map<String, INDArray>> shards = new HashMap<>();
    StringBuilder index = new StringBuilder("{\"metadata\":{},\"weight_map\":{");
    int i = 0;
    for (Map.Entry<String, INDArray> tensor : tensors.entrySet()) {
      String shard = i % 2 == 0 ? "a.safetensors" : "b.safetensors";
      shards
          .computeIfAbsent(shard, name -> new LinkedHashMap<>())
          .put(tensor.getKey(), tensor.getValue());
      index.append(i++ == 0 ? "" : ",").append("\"%s\":\"%s\"".formatted(tensor.getKey(), shard));
    }
    for (Map.Entry<String, Map<String, INDArray>> shard : shards.entrySet()) {
      SafetensorsWriter.write(file(shard.getKey()), CONF, shard.getValue(), Map.of());
    }
    Files.writeString(dir.resolve("config.json"), LLAMA);
    Files.writeString(dir.resolve("model.safetensors.index.json"), index.append("}}"));
  }

  private Backbone load() throws IOException {
    BackboneConfig checked = ModelReader.check(dir.toString(), CONF).config();
    Backbone loaded = ModelReader.load(dir.toString(), CONF);
    assertThat(loaded.config()).isEqualTo(checked);
    assertThat(ModelReader.digest(dir.toString(), CONF)).isEqualTo(loaded.digest());
    return loaded;
  }

  private org.apache.hadoop.fs.Path file(String name) {
    return new org.apache.hadoop.fs.Path(dir.resolve(name).toUri());
  }

  private String path() {
    return dir.toString();
  }
}
