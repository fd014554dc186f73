package io.guilomo.family;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.GoldenHead.Outcome;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.network.Backbone;
import io.guilomo.network.IncrementalDecoder;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.StepwisePass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checkpoints of every family against what Hugging Face's own code makes of them: every folder of
 * {@code families} among the golden vectors, with every form of its {@code config.json}, with no
 * option but the path.
 */
class TestGoldenFamilies {

  private static final Configuration CONF = new Configuration();

  /**
   * How much further from 64-bit numbers our 32-bit ones may be than those of the golden code: it
   * adds in another order, and its distance is that of one run.
   */
  private static final double MULTIPLE = 5;

  @TempDir Path directory;

  @TestFactory
  Stream<DynamicTest> likeTheirAuthorsCode() {
    return each(this::likeTheirAuthorsCode);
  }

  @TestFactory
  Stream<DynamicTest> decodersReadPieceByPiece() {
    return each(this::readsPieceByPiece);
  }

  private interface Check {
    void run(Path folder, Kernels kernels) throws IOException;
  }

  private static Stream<DynamicTest> each(Check check) {
    return GoldenFiles.list("families", "*").stream()
        .filter(folder -> Files.exists(folder.resolve("expected.json")))
        .flatMap(
            folder ->
                KernelsUnderTest.names().stream()
                    .map(
                        kernels ->
                            DynamicTest.dynamicTest(
                                folder.getFileName() + " " + kernels,
                                () -> check.run(folder, KernelsUnderTest.named(kernels)))));
  }

  private void likeTheirAuthorsCode(Path folder, Kernels kernels) throws IOException {
    JsonNode expected = GoldenFiles.parse(folder.resolve("expected.json"));
    double largest = 0;
    for (Path config : configs(folder)) {
      Path model = model(folder, config);
      largest = Math.max(largest, compare(model, expected, kernels));
    }
    GoldenFiles.report("families/" + folder.getFileName(), largest);
  }

  private static List<Path> configs(Path folder) {
    return GoldenFiles.list("families/" + folder.getFileName(), "config*.json");
  }

  /** The checkpoint with one form of its configuration, and nothing else. */
  private Path model(Path folder, Path config) throws IOException {
    Path model =
        Files.createTempDirectory(directory, folder.getFileName() + "-" + config.getFileName());
    Files.copy(config, model.resolve("config.json"));
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(file -> file.toString().contains(".safetensors")).toList()) {
        Files.copy(file, model.resolve(file.getFileName().toString()));
      }
    }
    return model;
  }

  /** The largest error, relative to the largest number of what was compared. */
  private static double compare(Path model, JsonNode expected, Kernels kernels) throws IOException {
    GoldenHead head = GoldenHead.of(expected.get("model_class").asText());
    Backbone backbone = ModelReader.load(model.toString(), CONF, FrozenCopies.memory(kernels));
    kernels.finish();
    NetworkDefinition definition = head.definition(model, backbone.config(), expected);
    StepwisePass pass = new StepwisePass(definition, backbone, kernels);
    GoldenComparison comparison =
        new GoldenComparison(model.getFileName().toString(), expected.get("float32_run"), MULTIPLE);
    for (JsonNode each : expected.get("cases")) {
      JsonNode labels = each.path("labels");
      int[] tokens = Goldens.integers(each.get("input_ids"));
      TokenBatch batch =
          TokenBatch.of(List.of(head.example(tokens, segments(each, tokens.length), labels)));
      List<float[][]> states = pass.forward(batch);
      Outcome outcome = head.run(pass, model, batch, states.get(states.size() - 1), labels);
      comparison.states(each, states);
      comparison.logits(each, outcome.logits());
      comparison.loss(each, outcome.loss());
      comparison.gradient(each, "grad_first_layer_input", pass.backward(outcome.stateGradient()));
    }
    for (JsonNode each : expected.path("padded_cases")) {
      padded(model, expected, each, head, pass, comparison);
    }
    return comparison.largest();
  }

  /** Rows without their padding, as one batch; without a mask, all tokens are real. */
  private static void padded(
      Path model,
      JsonNode expected,
      JsonNode each,
      GoldenHead head,
      StepwisePass pass,
      GoldenComparison comparison) {
    List<Example> examples = new ArrayList<>();
    for (int row = 0; row < each.get("input_ids").size(); row++) {
      int[] tokens = real(each, "input_ids", row);
      int[] segments =
          each.has("token_type_ids") ? real(each, "token_type_ids", row) : new int[tokens.length];
      examples.add(head.example(tokens, segments, MissingNode.getInstance()));
    }
    TokenBatch batch = TokenBatch.of(examples);
    List<float[][]> states = pass.forward(batch);
    double[][] logits =
        head.run(pass, model, batch, states.get(states.size() - 1), MissingNode.getInstance())
            .logits();
    if (!each.has("attention_mask")) {
      comparison.logits(each, logits);
      return;
    }
    boolean perToken = logits.length == batch.size();
    for (int row = 0; row < examples.size(); row++) {
      int first = perToken ? batch.starts()[row] : row;
      int end = perToken ? batch.starts()[row + 1] : row + 1;
      comparison.logits(expected.get("cases").get(row), Arrays.copyOfRange(logits, first, end));
    }
  }

  private static int[] real(JsonNode each, String key, int row) {
    int[] all = Goldens.integers(each.get(key).get(row));
    if (!each.has("attention_mask")) {
      return all;
    }
    int[] mask = Goldens.integers(each.get("attention_mask").get(row));
    int[] real = new int[all.length];
    int count = 0;
    for (int t = 0; t < all.length; t++) {
      if (mask[t] == 1) {
        real[count++] = all[t];
      }
    }
    return Arrays.copyOf(real, count);
  }

  private static int[] segments(JsonNode each, int length) {
    return each.has("token_type_ids")
        ? Goldens.integers(each.get("token_type_ids"))
        : new int[length];
  }

  /** The logits of every prefix of a sequence whose room is its length. */
  private void readsPieceByPiece(Path folder, Kernels kernels) throws IOException {
    JsonNode expected = GoldenFiles.parse(folder.resolve("expected.json"));
    if (!(GoldenHead.of(expected.get("model_class").asText()) instanceof GoldenCausalHead head)) {
      return;
    }
    Path model = model(folder, folder.resolve("config.json"));
    Backbone backbone = ModelReader.load(model.toString(), CONF, FrozenCopies.memory(kernels));
    kernels.finish();
    NetworkDefinition definition = head.definition(model, backbone.config(), expected);
    try (LoraMoeNetwork network = LoraMoeNetwork.create(definition, backbone, kernels)) {
      GoldenComparison comparison =
          new GoldenComparison("decoder", expected.get("float32_run"), MULTIPLE);
      List<int[]> texts = new ArrayList<>();
      expected.get("cases").forEach(each -> texts.add(Goldens.integers(each.get("input_ids"))));
      IncrementalDecoder decoder =
          network.decoder(texts.stream().mapToInt(text -> text.length).toArray());
      for (int s = 0; s < texts.size(); s++) {
        int[] text = texts.get(s);
        JsonNode logits = expected.get("cases").get(s).get("logits");
        int first = text.length / 2;
        for (int t = first; t <= text.length; t++) {
          int from = t == first ? 0 : t - 1;
          float[][] next = decoder.read(new int[] {s}, List.of(Arrays.copyOfRange(text, from, t)));
          comparison.logits("after " + t, next[0], logits.get(t - 1));
        }
      }
      assertThat(comparison.largest()).isLessThan(1);
    }
  }
}
