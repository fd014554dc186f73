package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.golden.GoldenFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Prompts, answer pattern, labels and batch of the authors' code. */
class TestCollatorGolden {

  static Stream<Path> files() {
    return GoldenFiles.list("data", "*.json").stream();
  }

  @ParameterizedTest
  @MethodSource("files")
  void writesThePrompts(Path file) {
    JsonNode golden = GoldenFiles.parse(file);
    PromptTemplate alpaca = PromptTemplate.alpaca();
    TextRecord.Instruction question =
        new TextRecord.MultipleChoice(
                null,
                "X?",
                List.of(new TextRecord.Choice("1", "a"), new TextRecord.Choice("2", "b")),
                "2")
            .toInstruction();
    assertThat(alpaca.text(question)).isEqualTo(golden.get("prompt_no_input").asText());
    assertThat(alpaca.prompt(question)).isEqualTo(golden.get("prompt_eval").asText());
    assertThat(alpaca.text(new TextRecord.Instruction("INSTR", "INP", "OUT", null)))
        .isEqualTo(golden.get("prompt_with_input").asText());
    assertThat(alpaca.response(golden.get("prompt_no_input").asText()))
        .isEqualTo(golden.get("get_response").asText());
    GoldenFiles.report("data/" + file.getFileName() + " prompts", 0);
  }

  @ParameterizedTest
  @MethodSource("files")
  void readsAnswers(Path file) {
    JsonNode golden = GoldenFiles.parse(file);
    for (JsonNode example : golden.get("regex")) {
      assertThat(PromptTemplate.alpaca().answer(example.get("text").asText()).orElse("FAILED"))
          .as(example.get("text").asText())
          .isEqualTo(example.get("pred").asText());
    }
    GoldenFiles.report("data/" + file.getFileName() + " answers", 0);
  }

  @ParameterizedTest
  @MethodSource("files")
  void labelsAndPacks(Path file) {
    JsonNode golden = GoldenFiles.parse(file);
    List<Example> examples = new ArrayList<>();
    for (JsonNode node : golden.get("examples")) {
      int[] ids = ints(node.get("input_ids"));
      int[] labels = ints(node.get("labels"));
      int prompt = (int) IntStream.of(labels).filter(label -> label == TokenBatch.IGNORED).count();
      TextEncoder encoder =
          new TestRecordEncoder.StubEncoder(
              text -> Arrays.copyOf(ids, text.endsWith("OUT") ? ids.length - 1 : prompt),
              OptionalInt.of(2));
      Example example =
          new RecordEncoder(
                  encoder, RecordEncoder.Options.causal(256, false, PromptTemplate.alpaca()))
              .encode(new TextRecord.Instruction("I", "", "OUT", null))
              .example()
              .orElseThrow();
      assertThat(example.tokens()).isEqualTo(ids);
      assertThat(example.labels()).isEqualTo(labels);
      examples.add(example);
    }

    // The authors pad on the left; a packed batch holds the same tokens without padding.
    TokenBatch batch = TokenBatch.of(examples);
    JsonNode padded = golden.get("batch");
    List<Integer> tokens = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    for (int i = 0; i < padded.get("input_ids").size(); i++) {
      for (int t = 0; t < padded.get("input_ids").get(i).size(); t++) {
        if (padded.get("attention_mask").get(i).get(t).asInt() == 1) {
          tokens.add(padded.get("input_ids").get(i).get(t).asInt());
          labels.add(padded.get("labels").get(i).get(t).asInt());
        }
      }
    }
    assertThat(batch.tokens()).containsExactly(tokens.stream().mapToInt(i -> i).toArray());
    assertThat(batch.labels()).containsExactly(labels.stream().mapToInt(i -> i).toArray());
    assertThat(batch.sequences()).isEqualTo(padded.get("input_ids").size());
    GoldenFiles.report("data/" + file.getFileName() + " labels and batch", 0);
  }

  private static int[] ints(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
  }
}
