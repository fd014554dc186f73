package io.guilomo.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.ChatTemplate;
import io.guilomo.data.PromptTemplate;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.io.SafetensorsFile;
import io.guilomo.io.SafetensorsWriter;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Task;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NamedParameters;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyModels;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.ModulePlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TestAdapterDirectory {

  private static final Configuration CONF = new Configuration();
  private static final double ALPHA = 16;

  private final Kernels kernels = KernelsUnderTest.any();

  @TempDir private Path directory;

  @Test
  void aSavedDecoderPredictsBitForBitAsBefore() throws IOException {
    Backbone backbone = TinyModels.llama(1);
    PromptTemplate template = PromptTemplate.alpaca().withAnswerPattern("It is (\\w+)");
    savedAndLoaded(
        backbone,
        description(backbone, Task.CAUSAL_LM, List.of(), template),
        TinyModels.causal(2, 9, 5));
  }

  @Test
  void aSavedChatTemplateIsReadAsItWas() throws IOException {
    Backbone backbone = TinyModels.llama(1);
    PromptTemplate alpaca = PromptTemplate.alpaca();
    ChatTemplate chat =
        new ChatTemplate(
            "{{ messages }}\n", Map.of("bos_token", "<s>", "pad_token", "", "eos_token", "\n"));
    PromptTemplate template =
        new PromptTemplate(
            alpaca.withInput(),
            alpaca.withoutInput(),
            "\n",
            alpaca.answerPattern(),
            new PromptTemplate.Chat(chat, true));
    AdapterManifest manifest =
        new AdapterManifest(
            description(backbone, Task.CAUSAL_LM, List.of(), template), "00", List.of());
    PromptTemplate read =
        AdapterManifest.fromJson("it", manifest.toJson()).description().template();
    assertThat(read.chat()).isEqualTo(template.chat());
    assertThat(read.responseMarker()).isEqualTo("\n");
  }

  @Test
  void aSavedEncoderPredictsBitForBitAsBefore() throws IOException {
    Backbone backbone = TinyModels.bert(1);
    savedAndLoaded(
        backbone,
        description(backbone, Task.CLASSIFICATION, List.of("no", "yes", "perhaps"), null),
        TinyModels.classified(2, 9, 5, 3));
  }

  @Test
  void whatRoutersShareIsSavedToo() throws IOException {
    Backbone backbone = TinyModels.bert(1);
    AdapterDescription topK =
        description(backbone, Task.CLASSIFICATION, List.of("no", "yes", "perhaps"), null);
    AdapterDescription description = Adapters.routed(topK, RoutingMethod.SPARSEGEN);
    savedAndLoaded(backbone, description, TinyModels.classified(2, 9, 5, 3));
    try (SafetensorsFile file = SafetensorsFile.open(path("adapter.safetensors"), CONF)) {
      assertThat(file.shape("thresholds.16.hidden.weight")).containsExactly(256, 16);
      assertThat(file.shape("thresholds.24.output.bias")).containsExactly(1);
    }
    assertThat(description.plan().parameters() - topK.plan().parameters())
        .isEqualTo(256 * (16 + 2) + 1 + 256 * (24 + 2) + 1);
  }

  @Test
  void aSharedAIsSavedOnceAModule() throws IOException {
    Backbone backbone = TinyModels.bert(1);
    AdapterDescription own =
        description(backbone, Task.CLASSIFICATION, List.of("no", "yes", "perhaps"), null);
    AdapterDescription description =
        Adapters.sharing(Adapters.routed(own, RoutingMethod.SPARSEGEN));
    savedAndLoaded(backbone, description, TinyModels.classified(2, 9, 5, 3));
    ModulePlan planned = description.plan().modules().get(0);
    int largest = Collections.max(planned.ranks());
    try (SafetensorsFile file = SafetensorsFile.open(path("adapter.safetensors"), CONF)) {
      assertThat(file.shape("layers.0.query.A"))
          .containsExactly(largest, planned.module().inFeatures());
      assertThat(file.shape("layers.0.query.experts.1.B"))
          .containsExactly(planned.module().outFeatures(), planned.ranks().get(1));
      assertThat(file.names()).noneMatch(name -> name.matches(".*experts\\.\\d+\\.A"));
    }
    assertThat(Files.readString(directory.resolve("manifest.json")))
        .contains("\"sharing\" : \"shared-a\"");
  }

  private void savedAndLoaded(Backbone backbone, AdapterDescription description, TokenBatch batch)
      throws IOException {
    try (LoraMoeNetwork trained = trained(backbone, description)) {
      float[][] logits = trained.logitRows(batch);
      Adapter adapter = Adapter.of(description, parameters(trained));
      directory().write(adapter);
      assertThat(directory.resolve("_manifest.json")).doesNotExist();
      Adapter read = directory().read();
      // Patterns are equal only to themselves.
      assertThat(new AdapterManifest(read.description(), "", List.of()).toJson())
          .isEqualTo(new AdapterManifest(description, "", List.of()).toJson());
      try (LoraMoeNetwork loaded =
          read.network(FrozenCopies.of(backbone, kernels), "elsewhere", kernels)) {
        assertThat(loaded.host().parameters().dup().data().asFloat())
            .isEqualTo(trained.host().parameters().dup().data().asFloat());
        assertThat(loaded.logitRows(batch)).isDeepEqualTo(logits);
      }
    }
  }

  @Test
  void theFileHoldsEveryExpertByItsName() throws IOException {
    Backbone backbone = TinyModels.bert(1);
    AdapterDescription description =
        description(backbone, Task.CLASSIFICATION, List.of("a", "b", "c"), null);
    write(backbone, description);
    ModulePlan planned = description.plan().modules().get(0);
    try (SafetensorsFile file = SafetensorsFile.open(path("adapter.safetensors"), CONF)) {
      assertThat(file.shape("layers.0.query.experts.1.A"))
          .containsExactly(planned.experts().get(1).rank(), planned.module().inFeatures());
      assertThat(file.shape("layers.0.query.experts.1.B"))
          .containsExactly(planned.module().outFeatures(), planned.experts().get(1).rank());
      assertThat(file.shape("layers.0.query.router"))
          .containsExactly(planned.experts().size(), planned.module().inFeatures());
      assertThat(file.shape("classifier.bias")).containsExactly(3);
    }
    assertThat(Files.readString(directory.resolve("manifest.json")))
        .contains("\"scaling\" : " + ALPHA / planned.experts().get(1).rank());
  }

  @Test
  void anotherBackboneIsRefused() throws IOException {
    Backbone backbone = TinyModels.llama(1);
    AdapterDescription description =
        new AdapterDescription(
            plan(backbone),
            "hdfs://models/tiny",
            "0123456789abcdef",
            backbone.config().paths(),
            Task.CAUSAL_LM,
            List.of(),
            Pooling.MEAN,
            32,
            PromptTemplate.alpaca());
    write(backbone, description);
    Adapter adapter = directory().read();
    assertThatThrownBy(() -> adapter.network(backbone, "here", kernels))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot use the adapter with here: its digest is %s, the adapter was trained on"
                + " hdfs://models/tiny with 0123456789ab; name that model",
            backbone.digest().substring(0, Math.min(12, backbone.digest().length())));
    assertThatThrownBy(() -> adapter.definition(TinyModels.bert(1).config(), "here"))
        .hasMessageStartingWith("Cannot use the adapter with here: it has no layer 0 q_proj of ");
  }

  @Test
  void tensorsThatThePlanDoesNotAskForAreRefused() throws IOException {
    rewrite(tensors -> tensors.remove("layers.0.q_proj.router"));
    refused("tensor layers.0.q_proj.router is missing");
    rewrite(tensors -> tensors.put("layers.0.q_proj.experts.9.A", Nd4j.ones(1, 8)));
    refused("tensor layers.0.q_proj.experts.9.A is in no module of the plan");
    rewrite(tensors -> tensors.put("layers.0.q_proj.experts.0.A", Nd4j.ones(7, 8)));
    refused("tensor layers.0.q_proj.experts.0.A has shape [7, 8], expected [");
  }

  @Test
  void whatIsNotWholeIsRefused() throws IOException {
    Backbone backbone = TinyModels.llama(1);
    refused("it has no manifest.json, so it is not an adapter or not a complete one");
    AdapterDescription description =
        description(backbone, Task.CAUSAL_LM, List.of(), PromptTemplate.alpaca());
    write(backbone, description);
    Path tensors = directory.resolve("adapter.safetensors");
    byte[] bytes = Files.readAllBytes(tensors);
    bytes[bytes.length - 5] ^= 1;
    Files.write(tensors, bytes);
    refused("Checksum error: ");
    forgetHadoopsChecksums();
    refused("the sha256 of adapter.safetensors is ");
    Files.write(tensors, Arrays.copyOf(bytes, bytes.length - 9));
    refused("the sha256 of adapter.safetensors is ");
    Files.delete(tensors);
    refused("it has no adapter.safetensors");

    Path manifest = directory.resolve("manifest.json");
    String text = Files.readString(manifest);
    Files.writeString(
        manifest, text.replace("\"format-version\" : 1,\n  \"b", "\"format-version\" : 2,\n  \"b"));
    assertThatThrownBy(() -> directory().read())
        .hasMessageEndingWith("manifest.json: format-version is 2, this release reads 1");
    Files.writeString(manifest, text.substring(0, text.length() / 2));
    assertThatThrownBy(() -> directory().read())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot read ");
  }

  private void rewrite(Consumer<Map<String, INDArray>> change) throws IOException {
    Backbone backbone = TinyModels.llama(1);
    AdapterDescription description =
        description(backbone, Task.CAUSAL_LM, List.of(), PromptTemplate.alpaca());
    Adapter adapter = write(backbone, description);
    String honest = Files.readString(directory.resolve("manifest.json"));
    Map<String, INDArray> tensors = new LinkedHashMap<>(adapter.tensors());
    change.accept(tensors);
    String sha = sha256(directory.resolve("adapter.safetensors"));
    SafetensorsWriter.write(
        path("adapter.safetensors"), CONF, tensors, Map.of("format", "guilomo"));
    Files.writeString(
        directory.resolve("manifest.json"),
        honest.replace(sha, sha256(directory.resolve("adapter.safetensors"))));
    forgetHadoopsChecksums();
  }

  private void forgetHadoopsChecksums() throws IOException {
    Files.deleteIfExists(directory.resolve(".adapter.safetensors.crc"));
    Files.deleteIfExists(directory.resolve(".manifest.json.crc"));
  }

  private static String sha256(Path file) throws IOException {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aManifestWithoutPathsIsOfTheFirstFamilies() throws IOException {
    for (Backbone backbone : List.of(TinyModels.llama(1), TinyModels.bert(1))) {
      Adapter adapter = Adapters.random(backbone, List.of(List.of(2)), kernels);
      directory().write(adapter);
      Path manifest = directory.resolve("manifest.json");
      ObjectNode json = (ObjectNode) GoldenFiles.parse(manifest);
      assertThat(json.get("paths").get("base").asText())
          .isEqualTo(backbone.config().paths().base());
      json.remove("paths");
      Files.deleteIfExists(directory.resolve(".manifest.json.crc"));
      Files.writeString(manifest, json.toString());
      assertThat(directory().read().description().paths()).isEqualTo(backbone.config().paths());
    }
  }

  private void refused(String why) {
    assertThatThrownBy(() -> directory().read())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot read the adapter ")
        .hasMessageContaining(why);
  }

  private Adapter write(Backbone backbone, AdapterDescription description) throws IOException {
    try (LoraMoeNetwork trained = trained(backbone, description)) {
      Adapter adapter = Adapter.of(description, parameters(trained));
      directory().write(adapter);
      return adapter;
    }
  }

  private LoraMoeNetwork trained(Backbone backbone, AdapterDescription description) {
    LoraMoeNetwork network =
        TinyModels.network(
            new Adapter(description, Map.of()).definition(backbone.config(), "memory:tiny"),
            backbone,
            kernels);
    TinyModels.shake(network, 3, 0.1);
    return network;
  }

  private static NamedParameters parameters(LoraMoeNetwork network) {
    return NamedParameters.of(network.definition(), network.host().parameters());
  }

  private static AdapterDescription description(
      Backbone backbone, Task task, List<String> labels, PromptTemplate template) {
    return new AdapterDescription(
        plan(backbone),
        "models/tiny",
        backbone.digest(),
        backbone.config().paths(),
        task,
        labels,
        Pooling.MEAN,
        32,
        template);
  }

  private static AllocationPlan plan(Backbone backbone) {
    List<ModulePlan> modules =
        TinyModels.unequal(backbone.config(), Stage.FINE_TUNING).stream()
            .map(TestAdapterDirectory::planned)
            .toList();
    return new AllocationPlan("file", 3, RoutingMethod.topK(2), ALPHA, true, modules);
  }

  private static ModulePlan planned(ModuleExperts experts) {
    return new ModulePlan(
        experts.module(), experts.ranks().stream().map(ExpertPlan::ofRank).toList());
  }

  private AdapterDirectory directory() throws IOException {
    return new AdapterDirectory(hadoop(directory), CONF);
  }

  private org.apache.hadoop.fs.Path path(String name) {
    return hadoop(directory.resolve(name));
  }

  private static org.apache.hadoop.fs.Path hadoop(Path path) {
    return new org.apache.hadoop.fs.Path(path.toUri());
  }
}
