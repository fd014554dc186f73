package io.guilomo.adapter;

import static io.guilomo.kernel.KernelArrays.host;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.adapter.AdapterFormat.ExportedAdapter;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.Scaling;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.TinyModels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TestPeftFormat {

  private static final Configuration CONF = new Configuration();
  private static final List<List<Integer>> RANKS =
      List.of(List.of(3), List.of(1), List.of(2), List.of(8));
  private static final String QUERY = "model.layers.0.self_attn.q_proj";
  private static final String PREFIX = "base_model.model.";

  private final Kernels kernels = KernelsUnderTest.any();
  private final Backbone llama = TinyModels.llama(1);

  @TempDir private Path directory;

  @Test
  void singleExpertsThatShareAAreTheSame() throws IOException {
    Adapter adapter = Adapters.random(llama, RANKS, kernels);
    PeftFormat.unpadded().write(adapter, hadoop(), CONF);
    Map<String, INDArray> own = tensors();
    PeftFormat.unpadded().write(Adapters.sharing(adapter), hadoop(), CONF);
    assertThat(tensors()).isEqualTo(own).hasSize(2 * 14);
    Adapter several =
        Adapters.random(
            llama,
            Adapters.sharing(
                Adapters.description(llama, Adapters.plan(llama, List.of(List.of(1, 2))))),
            kernels);
    assertThatThrownBy(() -> PeftFormat.unpadded().write(several, hadoop(), CONF))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "Cannot export to PEFT: layer 0 q_proj has 2 experts, and there is room for one;");
  }

  @Test
  void aDecodersFilesAreThoseOfPeft() throws IOException {
    Adapter adapter = Adapters.random(llama, RANKS, kernels);
    ExportedAdapter exported = PeftFormat.unpadded().write(adapter, hadoop(), CONF);
    assertThat(exported.largestRank()).isEqualTo(8);
    assertThat(exported.files())
        .extracting(org.apache.hadoop.fs.Path::getName)
        .containsExactly("README.md", "adapter_model.safetensors", "adapter_config.json");
    Map<String, INDArray> tensors = tensors();
    assertThat(tensors).hasSize(2 * 14);
    assertThat(tensors.get(PREFIX + QUERY + ".lora_A.weight").shape()).containsExactly(3, 16);
    assertThat(tensors.get(PREFIX + QUERY + ".lora_B.weight").shape()).containsExactly(16, 3);
    assertThat(tensors).containsKey("base_model.model.model.layers.1.mlp.down_proj.lora_A.weight");

    JsonNode config = config();
    assertThat(config.get("peft_type").asText()).isEqualTo("LORA");
    assertThat(config.get("task_type").asText()).isEqualTo("CAUSAL_LM");
    assertThat(config.get("base_model_name_or_path").asText()).isEqualTo("models/tiny");
    assertThat(config.get("bias").asText()).isEqualTo("none");
    assertThat(config.get("lora_dropout").asDouble()).isZero();
    assertThat(config.get("fan_in_fan_out").isBoolean()).isTrue();
    assertThat(config.get("fan_in_fan_out").asBoolean()).isFalse();
    assertThat(config.get("inference_mode").asBoolean()).isTrue();
    assertThat(config.get("r").asInt()).isEqualTo(8);
    assertThat(config.get("lora_alpha").asDouble()).isEqualTo(16);
    assertThat(config.get("rank_pattern").get(QUERY).asInt()).isEqualTo(3);
    assertThat(config.get("alpha_pattern").get(QUERY).asDouble()).isEqualTo(6);
    assertThat(config.has("modules_to_save")).isFalse();
    assertThat(names(config.get("target_modules").elements()))
        .hasSize(14)
        .isEqualTo(names(config.get("rank_pattern").fieldNames()))
        .isEqualTo(names(config.get("alpha_pattern").fieldNames()))
        .allMatch(path -> tensors.containsKey(PREFIX + path + ".lora_B.weight"));
  }

  @Test
  void anEncodersClassifierIsAmongTheModulesToSave() throws IOException {
    Backbone bert = TinyModels.bert(1);
    Adapter adapter = Adapters.random(bert, RANKS, kernels);
    PeftFormat.unpadded().write(adapter, hadoop(), CONF);
    Map<String, INDArray> tensors = tensors();
    assertThat(tensors).hasSize(2 * 12 + 2);
    String query = "bert.encoder.layer.0.attention.self.query";
    assertThat(values(tensors.get(PREFIX + query + ".lora_A.weight")))
        .isEqualTo(values(adapter.tensors().get("layers.0.query.experts.0.A")));
    assertThat(values(tensors.get(PREFIX + "bert.encoder.layer.1.output.dense.lora_B.weight")))
        .isEqualTo(values(adapter.tensors().get("layers.1.output.experts.0.B")));
    assertThat(values(tensors.get(PREFIX + "classifier.weight")))
        .isEqualTo(values(adapter.tensors().get("classifier.weight")));
    assertThat(tensors.get(PREFIX + "classifier.bias").shape()).containsExactly(3);
    assertThat(config().get("task_type").asText()).isEqualTo("SEQ_CLS");
    assertThat(config().get("modules_to_save").toString()).isEqualTo("[\"classifier\"]");
    assertThat(config().get("rank_pattern").get(query).asInt()).isEqualTo(3);
  }

  /** What PEFT computes: {@code x (W + alpha / r · B A)ᵀ} in every module. */
  @ParameterizedTest
  @CsvSource({
    "0, ALPHA_OVER_RANK",
    "8, ALPHA_OVER_RANK",
    "11, ALPHA_OVER_RANK",
    "0, ALPHA_OVER_SQRT_RANK",
    "11, ALPHA_OVER_SQRT_RANK"
  })
  void mergedIntoTheBackboneTheFilesComputeTheSame(int padRank, Scaling.Rule rule)
      throws IOException {
    Adapter adapter = Adapters.random(llama, Adapters.plan(llama, RANKS, rule), kernels);
    PeftFormat format = padRank == 0 ? PeftFormat.unpadded() : PeftFormat.padded(padRank);
    ExportedAdapter exported = format.write(adapter, hadoop(), CONF);
    assertThat(exported.largestRank()).isEqualTo(padRank == 0 ? 8 : padRank);
    Map<String, INDArray> zeros = new LinkedHashMap<>(adapter.tensors());
    zeros.replaceAll((name, tensor) -> Nd4j.zerosLike(tensor));
    Adapter none = new Adapter(adapter.description(), zeros);
    TokenBatch batch = TinyModels.causal(2, 9, 5);
    try (LoraMoeNetwork expected =
            adapter.network(FrozenCopies.of(llama, kernels), "here", kernels);
        LoraMoeNetwork merged = none.network(FrozenCopies.of(merged(), kernels), "here", kernels);
        LoraMoeNetwork frozen = none.network(FrozenCopies.of(llama, kernels), "here", kernels)) {
      INDArray logits = host(kernels, expected.logits(batch));
      GoldenFiles.assertClose("logits", host(kernels, merged.logits(batch)), logits, 1e-5);
      assertThat(GoldenFiles.relativeError(host(kernels, frozen.logits(batch)), logits))
          .isGreaterThan(1e-2);
    }
  }

  private Backbone merged() throws IOException {
    Map<String, INDArray> tensors = FrozenCopies.tensors(llama);
    for (int layer = 0; layer < llama.config().layers(); layer++) {
      String part = "block-" + layer + ".";
      String attention = "model.layers." + layer + ".self_attn.";
      String mlp = "model.layers." + layer + ".mlp.";
      merge(tensors, part + "qkv.weight", attention, "q_proj", "k_proj", "v_proj");
      merge(tensors, part + "o.weight", attention, "o_proj");
      merge(tensors, part + "gateUp.weight", mlp, "gate_proj", "up_proj");
      merge(tensors, part + "down.weight", mlp, "down_proj");
    }
    return FrozenCopies.backbone(llama.config(), llama.digest(), tensors);
  }

  private void merge(Map<String, INDArray> tensors, String name, String block, String... modules)
      throws IOException {
    tensors.put(name, merged(tensors.get(name), block, modules));
  }

  private INDArray merged(INDArray weight, String block, String... modules) throws IOException {
    Map<String, INDArray> tensors = tensors();
    JsonNode config = config();
    INDArray[] updates =
        Arrays.stream(modules)
            .map(
                module -> {
                  String path = block + module;
                  INDArray a = tensors.get(PREFIX + path + ".lora_A.weight");
                  INDArray b = tensors.get(PREFIX + path + ".lora_B.weight");
                  int rank = config.get("rank_pattern").get(path).asInt();
                  assertThat(a.size(0)).as("rank of %s", path).isEqualTo(rank);
                  return b.mmul(a).mul(config.get("alpha_pattern").get(path).asDouble() / rank);
                })
            .toArray(INDArray[]::new);
    return weight.add(Nd4j.concat(0, updates)).dup('c');
  }

  @Test
  void oneAlphaStandsForEveryScaling() throws IOException {
    Adapter adapter =
        Adapters.random(
            llama, Adapters.plan(llama, RANKS, Scaling.Rule.ALPHA_OVER_SQRT_RANK), kernels);
    PeftFormat.unpadded().write(adapter, hadoop(), CONF);
    assertThat(config().has("use_rslora")).isFalse();
    assertThat(config().get("lora_alpha").asDouble()).isEqualTo(16 * 8 / Math.sqrt(8));
    servedWithoutPatterns();
    PeftFormat.padded(11).write(adapter, hadoop(), CONF);
    assertThat(config().get("lora_alpha").asDouble() / 11)
        .isCloseTo(16 / Math.sqrt(8), within(1e-14));
    servedWithoutPatterns();
    INDArray b = tensors().get(PREFIX + QUERY + ".lora_B.weight");
    assertThat(b.getDouble(5, 1))
        .isCloseTo(
            adapter.tensors().get("layers.0.q_proj.experts.0.B").getDouble(5, 1)
                * Math.sqrt(8.0 / 3),
            within(1e-7));
  }

  /** vLLM scales all modules by {@code lora_alpha / r}. */
  private void servedWithoutPatterns() {
    JsonNode config = config();
    double scaling = config.get("lora_alpha").asDouble() / config.get("r").asInt();
    config
        .get("rank_pattern")
        .fields()
        .forEachRemaining(
            rank ->
                assertThat(
                        config.get("alpha_pattern").get(rank.getKey()).asDouble()
                            / rank.getValue().asInt())
                    .isCloseTo(scaling, within(1e-14)));
  }

  @Test
  void paddingAddsZeros() throws IOException {
    Adapter adapter = Adapters.random(llama, RANKS, kernels);
    PeftFormat.padded(11).write(adapter, hadoop(), CONF);
    INDArray a = tensors().get(PREFIX + QUERY + ".lora_A.weight");
    INDArray b = tensors().get(PREFIX + QUERY + ".lora_B.weight");
    assertThat(a.shape()).containsExactly(11, 16);
    assertThat(b.shape()).containsExactly(16, 11);
    assertThat(values(ArrayViews.rows(a, 0, 3)))
        .isEqualTo(values(adapter.tensors().get("layers.0.q_proj.experts.0.A")));
    // Scaled by 16 / 3 here, and by 16 / 8 in the files.
    double factor = 16.0 / 3 / (16.0 / 8);
    float[] expected = values(adapter.tensors().get("layers.0.q_proj.experts.0.B"));
    for (int i = 0; i < expected.length; i++) {
      expected[i] = (float) (expected[i] * factor);
    }
    assertThat(values(ArrayViews.columns(b, 0, 3))).isEqualTo(expected);
    assertThat(values(ArrayViews.rows(a, 3, 8))).containsOnly(0);
    assertThat(values(ArrayViews.columns(b, 3, 8))).containsOnly(0);
    assertThat(config().get("r").asInt()).isEqualTo(11);
    assertThat(config().get("lora_alpha").asDouble()).isEqualTo(16 * 11 / 8.0);
    assertThat(config().get("alpha_pattern").get(QUERY).asDouble()).isEqualTo(16 * 11 / 8.0);
  }

  @Test
  void aPadRankBelowTheLargestRankIsRefused() {
    Adapter adapter = Adapters.random(TinyModels.bert(1), List.of(List.of(8)), kernels);
    assertThatThrownBy(() -> PeftFormat.padded(4).write(adapter, hadoop(), CONF))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot pad to rank 4: layer 0 query has rank 8");
    assertThat(directory).isEmptyDirectory();
    assertThatThrownBy(() -> PeftFormat.padded(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot pad to rank 0: it must be from 1 to 16384");
    assertThatThrownBy(() -> PeftFormat.padded(16385))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot pad to rank 16385: it must be from 1 to 16384");
  }

  @Test
  void moreThanOneExpertIsRefused() {
    Adapter adapter = Adapters.random(llama, List.of(List.of(1, 2, 3, 2)), kernels);
    assertThatThrownBy(() -> PeftFormat.unpadded().write(adapter, hadoop(), CONF))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot export to PEFT: layer 0 q_proj has 4 experts, and there is room for one;"
                + " allocate with lora-moe.max-experts=1 and lora-moe.top-k=1, or load the adapter"
                + " with deploy/python");
    assertThat(directory).isEmptyDirectory();
  }

  /** {@code INDArray.equals} would forgive differences. */
  private static float[] values(INDArray tensor) {
    return tensor.dup('c').data().asFloat();
  }

  private Map<String, INDArray> tensors() {
    return GoldenFiles.tensors(directory.resolve("adapter_model.safetensors"));
  }

  private JsonNode config() {
    return GoldenFiles.parse(directory.resolve("adapter_config.json"));
  }

  private static List<String> names(Iterator<?> values) {
    List<String> names = new ArrayList<>();
    values.forEachRemaining(
        value -> names.add(value instanceof JsonNode node ? node.asText() : value.toString()));
    return names;
  }

  private org.apache.hadoop.fs.Path hadoop() {
    return new org.apache.hadoop.fs.Path(directory.toUri());
  }
}
