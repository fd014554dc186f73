package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class TestRecordEncoder {

  private static final int X = TokenBatch.IGNORED;
  private static final PromptTemplate TEMPLATE =
      new PromptTemplate(
          "{instruction} {input} : ", "{instruction} : ", ":", Pattern.compile("(.)"));

  private final WordEncoder words = new WordEncoder();

  @Test
  void masksThePromptAndEndsTheSequence() {
    Example example = causal(32, false).encode(instruction("a b", "c d")).example().orElseThrow();
    assertThat(example.tokens()).containsExactly(1, 10, 11, 12, 13, 14, 2);
    assertThat(example.labels()).containsExactly(X, X, X, X, 13, 14, 2);
    assertThat(example.segments()).containsOnly(0);
  }

  @Test
  void trainsOnInputs() {
    Example example = causal(32, true).encode(instruction("a b", "c d")).example().orElseThrow();
    assertThat(example.labels()).isEqualTo(example.tokens());
  }

  @Test
  void truncatesWithoutEnd() {
    RecordEncoder.Outcome cut = causal(5, false).encode(instruction("a b", "c d"));
    assertThat(cut.truncated()).isTrue();
    assertThat(cut.example().orElseThrow().tokens()).containsExactly(1, 10, 11, 12, 13);
    assertThat(cut.example().orElseThrow().labels()).containsExactly(X, X, X, X, 13);

    // Exactly as long as allowed: whole, but no room for the end.
    RecordEncoder.Outcome full = causal(6, false).encode(instruction("a b", "c d"));
    assertThat(full.truncated()).isFalse();
    assertThat(full.example().orElseThrow().tokens()).containsExactly(1, 10, 11, 12, 13, 14);
  }

  @Test
  void dropsAnExampleThatIsAllPrompt() {
    RecordEncoder.Outcome outcome = causal(4, false).encode(instruction("a b", "c d"));
    assertThat(outcome.example()).isEmpty();
    assertThat(outcome.truncated()).isTrue();
  }

  @Test
  void leavesATokenAcrossTheBoundaryToTheResponse() {
    TextEncoder characters = new StubEncoder(text -> text.replace(": y", "Z").chars().toArray());
    Example example =
        new RecordEncoder(characters, RecordEncoder.Options.causal(32, false, TEMPLATE))
            .encode(instruction("a", "yes"))
            .example()
            .orElseThrow();
    assertThat(example.tokens()).containsExactly('a', ' ', 'Z', 'e', 's');
    assertThat(example.labels()).containsExactly(X, X, 'Z', 'e', 's');
  }

  @Test
  void encodesAPromptToPredict() {
    Example example =
        causal(4, false).encodeInput(instruction("a b", "c d")).example().orElseThrow();
    assertThat(example.tokens()).containsExactly(1, 10, 11, 12);
    assertThat(example.labels()).containsOnly(X);
  }

  @Test
  void classifiesASentence() {
    Example example =
        classifier(8).encode(new TextRecord.Sentence("a b", "yes")).example().orElseThrow();
    assertThat(example.tokens()).containsExactly(3, 10, 11, 4);
    assertThat(example.labels()).containsExactly(1, X, X, X);
    assertThat(example.segments()).containsOnly(0);
  }

  @Test
  void cutsTheLongerPartOfAPair() {
    RecordEncoder.Outcome outcome =
        classifier(8).encode(new TextRecord.SentencePair("a b c d e f", "g h i", "no"));
    assertThat(outcome.truncated()).isTrue();
    Example example = outcome.example().orElseThrow();
    assertThat(example.tokens()).containsExactly(3, 10, 11, 12, 4, 16, 17, 4);
    assertThat(example.segments()).containsExactly(0, 0, 0, 0, 0, 1, 1, 1);
    assertThat(example.labels()).startsWith(0, X);
  }

  @Test
  void framesAPairAsTheTokenizerDoes() {
    int[] ids = {0, Frame.FIRST, 2, 2, Frame.SECOND, 2};
    RecordEncoder roberta =
        new RecordEncoder(
            new StubEncoder(text -> text.chars().toArray(), OptionalInt.empty(), Frame.of(ids, 0)),
            RecordEncoder.Options.classification(8, new LabelSet(List.of("no", "yes"))));
    Example example =
        roberta.encode(new TextRecord.SentencePair("xyz", "ab", "yes")).example().orElseThrow();
    assertThat(example.tokens()).containsExactly(0, 'x', 'y', 2, 2, 'a', 'b', 2);
    assertThat(example.segments()).containsOnly(0);
    assertThat(example.labels()).startsWith(1, X);
  }

  @Test
  void cutsASentenceBeforeItsEnd() {
    Example example =
        classifier(4).encode(new TextRecord.Sentence("a b c d", "no")).example().orElseThrow();
    assertThat(example.tokens()).containsExactly(3, 10, 11, 4);
  }

  @Test
  void refusesWhatItCannotLearn() {
    assertThatThrownBy(() -> classifier(8).encode(new TextRecord.Sentence("a", "maybe")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot use label maybe: expected one of [no, yes]");
    assertThatThrownBy(() -> classifier(8).encode(new TextRecord.Sentence("a", null)))
        .hasMessage("Cannot learn from a record without a label");
    assertThatThrownBy(() -> causal(8, false).encode(instruction("a", "")))
        .hasMessage("Cannot learn from a record without an output");
    assertThatThrownBy(() -> causal(8, false).encode(new TextRecord.Instruction("a", "", "", "b")))
        .hasMessage(
            "Cannot learn from a record without an output: data.columns.output=answer would learn its"
                + " answer");
    assertThatThrownBy(() -> classifier(8).encode(instruction("a", "b")))
        .hasMessage("Cannot classify an instruction: expected a sentence with a label");
    assertThatThrownBy(() -> causal(3, false))
        .hasMessage("Cannot truncate examples to 3 tokens: at least 4 are needed");
    RecordEncoder silent =
        new RecordEncoder(
            new StubEncoder(text -> new int[0]),
            RecordEncoder.Options.classification(8, new LabelSet(List.of("no", "yes"))));
    assertThatThrownBy(() -> silent.encode(new TextRecord.Sentence("a", "yes")))
        .hasMessage("Cannot classify a text without tokens");
  }

  private RecordEncoder causal(int maxLength, boolean trainOnInputs) {
    return new RecordEncoder(
        words, RecordEncoder.Options.causal(maxLength, trainOnInputs, TEMPLATE));
  }

  private RecordEncoder classifier(int maxLength) {
    return new RecordEncoder(
        words, RecordEncoder.Options.classification(maxLength, new LabelSet(List.of("no", "yes"))));
  }

  private static TextRecord.Instruction instruction(String instruction, String output) {
    return new TextRecord.Instruction(instruction, "", output, null);
  }

  /** Encodes with a function and has no special tokens but an optional end. */
  record StubEncoder(Function<String, int[]> ids, OptionalInt eos, Frame pair)
      implements TextEncoder {
    StubEncoder(Function<String, int[]> ids) {
      this(ids, OptionalInt.empty());
    }

    StubEncoder(Function<String, int[]> ids, OptionalInt eos) {
      this(ids, eos, Frame.of(new int[] {Frame.FIRST, Frame.SECOND}, 0));
    }

    @Override
    public int[] encode(String text) {
      return ids.apply(text);
    }

    @Override
    public int[] encodeBare(String text) {
      return ids.apply(text);
    }

    @Override
    public OptionalInt bos() {
      return OptionalInt.empty();
    }

    @Override
    public Frame frame(boolean two) {
      return two ? pair : Frame.of(new int[] {Frame.FIRST}, 0);
    }
  }
}
