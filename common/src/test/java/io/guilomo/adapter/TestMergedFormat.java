package io.guilomo.adapter;

import static io.guilomo.adapter.MergedCases.difference;
import static io.guilomo.adapter.MergedCases.family;
import static io.guilomo.adapter.MergedCases.hadoop;
import static io.guilomo.adapter.MergedCases.values;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.family.Families;
import io.guilomo.family.ModelReader;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.io.SafetensorsFile;
import io.guilomo.io.TensorType;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class TestMergedFormat {

  private static final Configuration CONF = new Configuration();
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<List<Integer>> SINGLE = List.of(List.of(3), List.of(1), List.of(2));
  private static final String QUERY = "model.layers.1.self_attn.q_proj.weight";

  /** Of the largest logit. */
  private static final double TOLERANCE = 1e-4;

  @TempDir private Path directory;
  private MergedCases cases;
  private Path merged;

  @BeforeEach
  void nameTheOutput() {
    cases = new MergedCases(directory);
    merged = directory.resolve("merged");
  }

  static Stream<Path> models() {
    return GoldenFiles.list("families", "*").stream()
        .filter(folder -> Files.exists(folder.resolve("model.safetensors")));
  }

  /** With and without a classifier, through a router whose parameters are not zero. */
  @ParameterizedTest
  @MethodSource("models")
  void theMergedModelComputesWhatTheAdaptedOneDoes(Path model) throws IOException {
    for (Pooling pooling : poolings(model)) {
      MergedCases.Case made = cases.made(model, pooling, SINGLE);
      MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF);
      double[] found = cases.plainLogits(merged, pooling);
      assertThat(difference(found, made.logits())).as("%s", pooling).isLessThan(TOLERANCE);
      if (pooling == null) {
        // The adapter does something.
        assertThat(difference(cases.plainLogits(model, null), made.logits())).isGreaterThan(0.01);
      }
    }
  }

  /** Null for a causal language model; what else its class for sequence classification reads. */
  private static List<Pooling> poolings(Path model) throws IOException {
    var config = Families.config(model.toString(), CONF);
    List<Pooling> poolings = new ArrayList<>();
    if (config.pretrainedHead() != null) {
      poolings.add(Pooling.HEAD);
    } else if (config.paths().causal()) {
      poolings.add(null);
      poolings.add(Pooling.LAST);
    }
    return poolings;
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void tensorsOfTwoBytesStaySo(TensorType type) throws IOException {
    Path model = cases.retyped(family("llama_gqa_llama3"), type, name -> name);
    MergedCases.Case made = cases.made(model, null, SINGLE);
    MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF);
    Map<String, INDArray> before = GoldenFiles.tensors(model.resolve("model.safetensors"));
    Map<String, INDArray> after = GoldenFiles.tensors(merged.resolve("model.safetensors"));
    assertThat(after.keySet()).containsExactlyElementsOf(before.keySet());
    try (SafetensorsFile file = GoldenFiles.open(merged.resolve("model.safetensors"))) {
      assertThat(file.names()).allMatch(name -> file.dtype(name).equals(type.name()));
      assertThat(file.metadata()).containsEntry("format", "pt");
    }
    assertThat(values(after.get("model.norm.weight")))
        .isEqualTo(values(before.get("model.norm.weight")));
    ModuleExperts module =
        made.adapter().description().plan().moduleExperts().stream()
            .filter(experts -> experts.module().layer() == 1)
            .findFirst()
            .orElseThrow();
    INDArray update =
        made.adapter()
            .tensors()
            .get(AdapterTensors.b(module, 0))
            .mmul(made.adapter().tensors().get(AdapterTensors.a(module, 0)))
            .mul(module.scalings().get(0));
    float[] exact = values(before.get(QUERY).add(update));
    float[] rounded = values(after.get(QUERY));
    // Half a unit in the last place, and a little for the sum in another order.
    double half = (type == TensorType.F16 ? 0x1p-11 : 0x1p-8) * 1.001;
    for (int i = 0; i < exact.length; i++) {
      assertThat(Math.abs(rounded[i] - exact[i]))
          .isLessThanOrEqualTo((float) (half * Math.abs(exact[i]) + 1e-7));
    }
  }

  @Test
  void shardsReplaceOneFileAndOneFileReplacesShards() throws IOException {
    MergedCases.Case made = cases.made(family("qwen3"), null, SINGLE);
    MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF);
    String digest = ModelReader.digest(merged.toString(), CONF);
    var written =
        new MergedFormat(Optional.empty(), 20_000).write(made.adapter(), hadoop(merged), CONF);
    List<String> names = written.files().stream().map(file -> file.getName()).toList();
    assertThat(names).endsWith("config.json").contains("model.safetensors.index.json");
    List<String> shards = names.stream().filter(name -> name.contains("-of-")).toList();
    assertThat(shards)
        .hasSizeGreaterThan(2)
        .startsWith("model-00001-of-%05d.safetensors".formatted(shards.size()))
        .endsWith("model-%1$05d-of-%1$05d.safetensors".formatted(shards.size()));
    assertThat(merged.resolve("model.safetensors")).doesNotExist();
    JsonNode index = GoldenFiles.parse(merged.resolve("model.safetensors.index.json"));
    long total = 0;
    for (String shard : shards) {
      Map<String, INDArray> tensors = GoldenFiles.tensors(merged.resolve(shard));
      long bytes = tensors.values().stream().mapToLong(tensor -> 4 * tensor.length()).sum();
      assertThat(tensors.size() == 1 || bytes <= 20_000).as("%s of %d", shard, bytes).isTrue();
      tensors
          .keySet()
          .forEach(name -> assertThat(index.at("/weight_map").get(name).asText()).isEqualTo(shard));
      total += bytes;
    }
    assertThat(index.at("/metadata/total_size").asLong()).isEqualTo(total);
    assertThat(ModelReader.digest(merged.toString(), CONF)).isEqualTo(digest);
    MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF);
    assertThat(merged.toFile().list())
        .filteredOn(name -> name.startsWith("model"))
        .containsExactly("model.safetensors");
  }

  @Test
  void singleExpertsThatShareAAreTheSame() throws IOException {
    MergedCases.Case made = cases.made(family("qwen3"), null, SINGLE);
    MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF);
    byte[] own = Files.readAllBytes(merged.resolve("model.safetensors"));
    MergedFormat.usual().write(Adapters.sharing(made.adapter()), hadoop(merged), CONF);
    assertThat(merged.resolve("model.safetensors")).hasBinaryContent(own);
  }

  @Test
  void tokenizerAndLicenseComeAlong() throws IOException {
    Path model = cases.copy(family("phi3"));
    for (String name :
        List.of(
            "tokenizer.json",
            "tokenizer.model",
            "chat_template.jinja",
            "LICENSE",
            "README.md",
            "pytorch_model.bin")) {
      Files.writeString(model.resolve(name), "{\"of\": \"" + name + "\"}");
    }
    MergedCases.Case made = cases.made(model, null, SINGLE);
    assertThat(
            MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF).files().stream()
                .map(file -> file.getName()))
        .containsExactly(
            "README.md",
            "model.safetensors",
            "LICENSE",
            "chat_template.jinja",
            "tokenizer.json",
            "tokenizer.model",
            "config.json");
    for (String name : List.of("tokenizer.model", "config.json")) {
      assertThat(merged.resolve(name)).hasSameBinaryContentAs(model.resolve(name));
    }
  }

  @Test
  void theConfigurationIsThatOfTheClassifier() throws IOException {
    MergedCases.Case made = cases.made(family("roberta_seqcls"), Pooling.HEAD, SINGLE);
    MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF);
    JsonNode config = GoldenFiles.parse(merged.resolve("config.json"));
    assertThat(config.at("/architectures/0").asText())
        .isEqualTo("RobertaForSequenceClassification");
    assertThat(config.get("id2label").toString())
        .isEqualTo("{\"0\":\"no\",\"1\":\"yes\",\"2\":\"perhaps\"}");
    assertThat(config.at("/label2id/perhaps").asInt()).isEqualTo(2);
    assertThat(config.get("problem_type").asText()).isEqualTo("single_label_classification");
    Map<String, INDArray> tensors = GoldenFiles.tensors(merged.resolve("model.safetensors"));
    assertThat(values(tensors.get("classifier.out_proj.weight")))
        .isEqualTo(values(made.adapter().tensors().get("classifier.weight")));

    made = cases.made(family("gemma3_text"), Pooling.LAST, SINGLE);
    MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF);
    assertThat(GoldenFiles.parse(merged.resolve("config.json")).at("/architectures/0").asText())
        .isEqualTo("Gemma3TextForSequenceClassification");
  }

  /** A class with a head would not find its tensors. */
  @Test
  void aBaseModelThatWasStoredAloneGetsThePrefixOfItsClass() throws IOException {
    Path model =
        cases.retyped(
            family("llama_headdim_bias"),
            TensorType.F32,
            name -> name.startsWith("model.") ? name.substring(6) : null);
    ObjectNode config = (ObjectNode) GoldenFiles.parse(model.resolve("config.json"));
    config.putArray("architectures").add("LlamaModel");
    JSON.writeValue(model.resolve("config.json").toFile(), config);
    MergedCases.Case made = cases.made(model, Pooling.LAST, SINGLE);
    MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF);
    assertThat(GoldenFiles.tensors(merged.resolve("model.safetensors")))
        .containsKeys(QUERY, "score.weight")
        .allSatisfy((name, tensor) -> assertThat(name).matches("model\\..*|score\\.weight"));
    assertThat(difference(cases.plainLogits(merged, Pooling.LAST), made.logits()))
        .isLessThan(TOLERANCE);
  }

  @Test
  void whatHasNoPlaceInACheckpointIsRefused() throws IOException {
    Path model = family("llama_gqa_llama3");
    refused(
        cases.made(model, null, List.of(List.of(2), List.of(1, 3))),
        "Cannot merge: layer 0 k_proj has 2 experts, and there is room for one; allocate with"
            + " lora-moe.max-experts=1 and lora-moe.top-k=1, or load the adapter with deploy/python");
    MergedCases.Case mean = cases.made(model, Pooling.MEAN, SINGLE);
    refused(
        mean,
        "Cannot merge: the classifier was trained with model.pooling = mean, and"
            + " LlamaForSequenceClassification reads another state; train it with model.pooling ="
            + " last, or load the adapter with deploy/python");
    refused(
        cases.made(family("bert_mlm"), Pooling.CLS, SINGLE),
        "Cannot merge: the classifier was trained with model.pooling = cls, and"
            + " BertForSequenceClassification reads another state; train it with model.pooling ="
            + " head on a checkpoint that has a classification head, or load the adapter with"
            + " deploy/python");
    MergedCases.Case made = cases.made(model, null, SINGLE);
    AllocationPlan plan = made.adapter().description().plan();
    AllocationPlan dense =
        new AllocationPlan(
            plan.strategy(),
            plan.seed(),
            new ExpertForm(new RoutingMethod("dense", 1), plan.scaling()),
            true,
            plan.modules());
    assertThatThrownBy(() -> SingleExperts.require(dense, "merge"))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot merge: its routing is dense, and only top-k always gives a single expert the"
                + " weight 1; load the adapter with deploy/python");
    assertThatThrownBy(
            () ->
                new MergedFormat(
                        Optional.of(family("llama_rope_linear").toString()),
                        MergedFormat.MAX_SHARD_BYTES)
                    .write(made.adapter(), hadoop(merged), CONF))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("Cannot use the adapter with ");
    assertThatThrownBy(
            () ->
                new MergedFormat(Optional.of("/moved"), MergedFormat.MAX_SHARD_BYTES)
                    .write(made.adapter(), hadoop(merged), CONF))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot merge: the model /moved is not there; say with --model where it is now");
    assertThatThrownBy(() -> new MergedFormat(Optional.empty(), 0))
        .hasMessage("Cannot write shards of 0 bytes: it must be at least 1");
    assertThat(merged).doesNotExist();
  }

  /** Also under another name. */
  @Test
  void theModelIsNotOverwritten() throws IOException {
    Path model = cases.copy(family("llama_gqa_llama3"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), model);
    MergedCases.Case made = cases.made(model, null, SINGLE);
    for (Path output : List.of(model, link)) {
      assertThatThrownBy(() -> MergedFormat.usual().write(made.adapter(), hadoop(output), CONF))
          .isInstanceOf(UserException.class)
          .hasMessage(
              "Cannot merge into %s: it is the directory of the model itself; name another one",
              hadoop(output));
    }
    assertThat(model.toFile().list()).containsExactlyInAnyOrder("config.json", "model.safetensors");
  }

  /** What another program wrote would be lost, or read instead of the merged weights. */
  @Test
  void onlyAnEarlierExportIsReplaced() throws IOException {
    Path model = family("llama_gqa_llama3");
    MergedCases.Case made = cases.made(model, null, SINGLE);
    merged = cases.copy(model);
    Path config = merged.resolve("adapter_config.json");
    Path card = merged.resolve("README.md");
    refused(
        made,
        "Cannot merge into %s: it has the weights of a model that was not exported here; name"
                .formatted(hadoop(merged))
            + " another directory");
    Files.writeString(card, "---\ntags:\n- guilomo\n---\n");
    Files.writeString(config, "{}");
    refused(
        made,
        "Cannot merge into %s: it has an adapter_config.json, which would be read instead; name"
                .formatted(hadoop(merged))
            + " another directory");
    Files.delete(config);
    Files.writeString(card, "# Mine\n- guilomo\n");
    Files.delete(merged.resolve("model.safetensors"));
    refused(
        made,
        "Cannot write the model card %s: a README.md that guilomo did not write is there; name"
                .formatted(hadoop(card))
            + " another directory");
    assertThat(merged.toFile().list()).containsExactlyInAnyOrder("README.md", "config.json");
    Files.delete(card);
    MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF);
    assertThat(merged.toFile().list()).contains("README.md", "model.safetensors");
  }

  private void refused(MergedCases.Case made, String message) {
    assertThatThrownBy(() -> MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF))
        .isInstanceOf(UserException.class)
        .hasMessage(message);
  }

  @Test
  void aValueOutOfRangeLeavesTheEarlierExport() throws IOException {
    Path model = cases.retyped(family("llama_gqa_llama3"), TensorType.F16, name -> name);
    MergedCases.Case made = cases.made(model, null, SINGLE);
    MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF);
    String digest = ModelReader.digest(merged.toString(), CONF);
    made.adapter().tensors().get("layers.1.q_proj.experts.0.A").muli(1e6);
    assertThatThrownBy(() -> MergedFormat.usual().write(made.adapter(), hadoop(merged), CONF))
        .isInstanceOf(UserException.class)
        .hasMessageMatching(
            "Cannot merge into tensor model\\.layers\\.1\\.self_attn\\.q_proj\\.weight: \\S+ would be"
                + " out of the range of F16; train again with a lower learning rate, or load the"
                + " adapter with deploy/python");
    assertThat(ModelReader.digest(merged.toString(), CONF)).isEqualTo(digest);
    assertThat(merged.toFile().list()).noneMatch(name -> name.startsWith("_"));
  }
}
