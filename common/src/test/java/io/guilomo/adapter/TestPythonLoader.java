package io.guilomo.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.Families;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.ModelReader;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.inference.GenerationSettings;
import io.guilomo.inference.Generator;
import io.guilomo.io.SafetensorsWriter;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Task;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NamedParameters;
import io.guilomo.network.TinyModels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What {@link Python} computes with our adapters is what we compute: with the package in {@code
 * deploy/python}, under PEFT, and with merged checkpoints.
 */
class TestPythonLoader {

  private static final Configuration CONF = new Configuration();
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of the largest logit: both sides compute in float32, in another order. */
  private static final double TOLERANCE = 1e-4;

  /** To generate. */
  private static final int TOKENS = 12;

  private static final List<List<Integer>> MIXED =
      List.of(List.of(2, 3, 1), List.of(1, 4), List.of(3));
  private static final List<List<Integer>> SINGLE = List.of(List.of(3), List.of(1), List.of(2));

  private final Kernels kernels = KernelsUnderTest.any();

  @TempDir private Path directory;

  private String router = RoutingMethod.TOP_K;
  private boolean sharing;

  /** The logits that we compute, and what Python needs for the same. */
  private record Case(String name, Map<String, Object> question, double[] logits) {}

  @Test
  void plainPyTorchComputesTheSame() throws Exception {
    Python.require("torch");
    compare(
        List.of(
            loaded("llama", plainLlama(), Task.CAUSAL_LM, Pooling.AUTO, true),
            loaded("bert", family("bert_mlm"), Task.CLASSIFICATION, Pooling.MEAN, true),
            loaded("bert", family("bert_mlm"), Task.CLASSIFICATION, Pooling.CLS, true)));
  }

  @Test
  void plainPyTorchRoutesAsWeDo() throws Exception {
    Python.require("torch");
    List<Case> cases = new ArrayList<>();
    for (String each : List.of(RoutingMethod.DENSE, RoutingMethod.SPARSEGEN)) {
      router = each;
      cases.add(loaded(each, plainLlama(), Task.CAUSAL_LM, Pooling.AUTO, true));
      cases.add(loaded(each, family("bert_mlm"), Task.CLASSIFICATION, Pooling.MEAN, true));
    }
    compare(cases);
  }

  @Test
  void plainPyTorchSharesAAsWeDo() throws Exception {
    Python.require("torch");
    sharing = true;
    List<Case> cases = new ArrayList<>();
    for (String each : List.of(RoutingMethod.TOP_K, RoutingMethod.DENSE)) {
      router = each;
      cases.add(loaded(each, plainLlama(), Task.CAUSAL_LM, Pooling.AUTO, true));
      cases.add(loaded(each, family("bert_mlm"), Task.CLASSIFICATION, Pooling.MEAN, true));
    }
    compare(cases);
  }

  @Test
  void transformersComputesTheSameForEveryFamily() throws Exception {
    Python.require("torch", "transformers");
    List<Case> cases = new ArrayList<>();
    for (Path model : models()) {
      String name = model.getFileName().toString();
      for (Task task : tasks(model)) {
        for (Pooling pooling : poolings(model, task)) {
          cases.add(loaded(name, model, task, pooling, false));
        }
      }
    }
    compare(cases);
  }

  @Test
  void peftComputesTheSameForEveryFamily() throws Exception {
    Python.require("torch", "transformers", "peft");
    List<Case> cases = new ArrayList<>();
    for (Path model : models()) {
      for (Task task : tasks(model)) {
        boolean causal = Families.config(model.toString(), CONF).paths().causal();
        boolean head = Families.config(model.toString(), CONF).pretrainedHead() != null;
        // Other classifiers pool otherwise than transformers' class.
        if (task == Task.CAUSAL_LM || causal || head) {
          cases.add(peft(model.getFileName().toString(), model, task));
        }
      }
    }
    compare(cases);
  }

  @Test
  void transformersReadsMergedCheckpoints() throws Exception {
    Python.require("torch", "transformers");
    List<Case> cases = new ArrayList<>();
    for (Path model : models()) {
      for (Task task : tasks(model)) {
        BackboneConfig config = Families.config(model.toString(), CONF);
        boolean head = config.pretrainedHead() != null;
        if (task == Task.CAUSAL_LM || head || config.paths().causal()) {
          String name = model.getFileName().toString();
          Pooling pooling = head ? Pooling.HEAD : Pooling.LAST;
          cases.add(made(name, model, task, pooling, MergedFormat.usual(), SINGLE, false, 0));
        }
      }
    }
    compare(cases);
  }

  /** Greedy decoding: where two logits are closer than rounding, another model would do. */
  @Test
  void pythonGeneratesTheSameTokens() throws Exception {
    Python.require("torch", "transformers");
    List<Case> cases = new ArrayList<>();
    for (String name : List.of("llama_gqa_llama3", "gemma2", "mistral_window", "phi3", "qwen3")) {
      Path model = family(name);
      cases.add(
          made(
              name,
              model,
              Task.CAUSAL_LM,
              Pooling.AUTO,
              new GuilomoFormat(),
              MIXED,
              false,
              TOKENS));
    }
    compare(cases);
  }

  private List<Path> models() throws IOException {
    List<Path> models = new ArrayList<>(GoldenFiles.list("families", "*"));
    models.removeIf(folder -> !Files.exists(folder.resolve("model.safetensors")));
    models.add(withVision(family("gemma3_text")));
    return models;
  }

  /** A Gemma 3 as the text model of one that reads images. */
  private Path withVision(Path text) throws IOException {
    Path whole = Files.createTempDirectory(directory, "gemma3");
    JsonNode config = GoldenFiles.parse(text.resolve("config.json"));
    Map<String, Object> vision =
        Map.of(
            "hidden_size", 8,
            "intermediate_size", 8,
            "num_hidden_layers", 1,
            "num_attention_heads", 2,
            "image_size", 28,
            "patch_size", 14);
    JSON.writeValue(
        whole.resolve("config.json").toFile(),
        Map.of(
            "architectures",
            List.of("Gemma3ForConditionalGeneration"),
            "model_type",
            "gemma3",
            "pad_token_id",
            0,
            "mm_tokens_per_image",
            1,
            "text_config",
            config,
            "vision_config",
            vision));
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    GoldenFiles.tensors(text.resolve("model.safetensors"))
        .forEach(
            (name, tensor) ->
                tensors.put(name.replaceFirst("^model", "model.language_model"), tensor));
    SafetensorsWriter.write(
        new org.apache.hadoop.fs.Path(whole.resolve("model.safetensors").toUri()),
        CONF,
        tensors,
        Map.of("format", "pt"));
    return whole;
  }

  private static Path family(String name) {
    return GoldenFiles.require("families/" + name);
  }

  /** A LLaMA's files as their directory must be. */
  private Path plainLlama() throws IOException {
    Path golden = GoldenFiles.require("model/tiny_llama");
    Path model = Files.createTempDirectory(directory, "llama");
    Files.copy(golden.resolve("config.json"), model.resolve("config.json"));
    Files.copy(golden.resolve("model.f32.safetensors"), model.resolve("model.safetensors"));
    return model;
  }

  private static List<Task> tasks(Path model) throws IOException {
    boolean headless =
        GoldenFiles.parse(model.resolve("config.json"))
            .path("architectures")
            .toString()
            .contains("Sequence");
    return Families.config(model.toString(), CONF).tasks().stream()
        .filter(task -> task == Task.CLASSIFICATION || (task == Task.CAUSAL_LM && !headless))
        .toList();
  }

  private static Iterable<Pooling> poolings(Path model, Task task) throws IOException {
    TreeSet<Pooling> poolings = new TreeSet<>(List.of(Pooling.AUTO));
    if (task == Task.CLASSIFICATION) {
      poolings.addAll(Families.config(model.toString(), CONF).poolings());
    }
    return poolings;
  }

  private Case loaded(String name, Path model, Task task, Pooling pooling, boolean plain)
      throws IOException {
    return made(name, model, task, pooling, new GuilomoFormat(), MIXED, plain, 0);
  }

  private Case peft(String name, Path model, Task task) throws IOException {
    return made(name, model, task, Pooling.AUTO, PeftFormat.unpadded(), SINGLE, false, 0);
  }

  /**
   * @param fresh tokens to generate after each prompt; 0: logits are compared
   */
  private Case made(
      String name,
      Path model,
      Task task,
      Pooling pooling,
      AdapterFormat format,
      List<List<Integer>> ranks,
      boolean plain,
      int fresh)
      throws IOException {
    Backbone backbone = ModelReader.load(model.toString(), CONF, FrozenCopies.memory(kernels));
    kernels.finish();
    boolean classifies = task == Task.CLASSIFICATION;
    AdapterDescription routed =
        Adapters.routed(Adapters.description(backbone, model, task, pooling, ranks), router);
    AdapterDescription description = sharing ? Adapters.sharing(routed) : routed;
    List<int[]> tokens = List.of(new int[] {5, 9, 2, 7, 11, 4, 8, 3, 12}, new int[] {6, 10, 3});
    Path written = Files.createTempDirectory(directory, name);
    double[][] expected = new double[tokens.size()][];
    boolean head;
    try (LoraMoeNetwork network =
        LoraMoeNetwork.create(
            new Adapter(description, Map.of()).definition(backbone.config(), model.toString()),
            backbone,
            kernels)) {
      TinyModels.shake(network, 3, 0.2);
      head = network.definition().readsThroughPretrainedHead();
      Adapter adapter =
          Adapter.of(
              description, NamedParameters.of(network.definition(), network.host().parameters()));
      format.write(adapter, new org.apache.hadoop.fs.Path(written.toUri()), CONF);
      for (int i = 0; i < expected.length; i++) {
        int[] ids = tokens.get(i);
        expected[i] = fresh > 0 ? generated(network, ids, fresh) : logits(network, ids);
      }
    }
    boolean peft = format instanceof PeftFormat;
    Map<String, Object> question = new LinkedHashMap<>();
    question.put("model", model.toAbsolutePath().normalize().toString());
    question.put("adapter", written.toString());
    question.put("tokens", tokens);
    question.put("classifies", classifies);
    question.put("labels", 3);
    question.put("head", head || peft);
    question.put("plain", plain);
    question.put("peft", peft);
    question.put("merged", format instanceof MergedFormat);
    question.put("new", fresh);
    return new Case(
        "%s %s %s %s".formatted(name, task, description.pooling(), format.library()),
        question,
        Arrays.stream(expected).flatMapToDouble(Arrays::stream).toArray());
  }

  private double[] logits(LoraMoeNetwork network, int[] ids) {
    TokenBatch batch =
        TokenBatch.of(List.of(new Example(ids, new int[ids.length], new int[ids.length])));
    return KernelArrays.host(kernels, network.logits(batch)).ravel().toDoubleVector();
  }

  private static double[] generated(LoraMoeNetwork network, int[] ids, int fresh) {
    return Arrays.stream(
            new Generator(network)
                .generate(List.of(ids), GenerationSettings.greedy(fresh, Set.of()))
                .get(0))
        .asDoubleStream()
        .toArray();
  }

  private void compare(List<Case> cases) throws Exception {
    JsonNode answers = python(JSON.writeValueAsString(cases.stream().map(Case::question).toList()));
    assertThat(answers).hasSize(cases.size());
    double largest = 0;
    for (int i = 0; i < cases.size(); i++) {
      List<Double> found = new ArrayList<>();
      for (JsonNode rows : answers.get(i)) {
        rows.forEach(row -> row.forEach(value -> found.add(value.doubleValue())));
      }
      double[] expected = cases.get(i).logits();
      double size = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
      assertThat(found).as(cases.get(i).name()).hasSize(expected.length);
      double error = 0;
      for (int j = 0; j < expected.length; j++) {
        error = Math.max(error, Math.abs(found.get(j) - expected[j]) / size);
      }
      assertThat(error).as(cases.get(i).name()).isLessThan(TOLERANCE);
      largest = Math.max(largest, error);
    }
    System.out.printf("python: %d adapters, largest error %.2g%n", cases.size(), largest);
  }

  private JsonNode python(String questions) throws Exception {
    Path in = Files.writeString(directory.resolve("questions.json"), questions);
    Path err = directory.resolve("err");
    Process process =
        new Python(directory)
            .process(
                List.of(
                    Python.ROOT.resolve("common/src/test/python/logits.py").toString(),
                    Python.PACKAGE.toString()))
            .redirectInput(in.toFile())
            .redirectError(err.toFile())
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(Files.readString(err)).isZero();
    return JSON.readTree(out);
  }
}
