package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.model.Task;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TestRecordParser {

  @Test
  void readsInstructions() {
    assertThat(
            parse(
                Task.CAUSAL_LM, "{'instruction': 'i', 'input': null, 'output': 'o', 'answer': 3}"))
        .isEqualTo(new TextRecord.Instruction("i", "", "o", "3"));
    assertThat(
            new RecordParser(Task.CAUSAL_LM, Map.of("instruction", "question", "output", "a.b"))
                .parse("{\"question\": \"i\", \"a\": {\"b\": \"o\"}}"))
        .isEqualTo(new TextRecord.Instruction("i", "", "o", null));
  }

  @Test
  void readsQuestionsInAllForms() {
    TextRecord question =
        new TextRecord.MultipleChoice(
            null,
            "s",
            List.of(new TextRecord.Choice("1", "x"), new TextRecord.Choice("2", "y")),
            "2");
    assertThat(
            parse(
                Task.MULTIPLE_CHOICE,
                "{'question': {'stem': 's', 'choices': [{'text': 'x', 'label': '1'}, {'text': 'y', 'label': '2'}]},"
                    + " 'answerKey': '2'}"))
        .isEqualTo(question);
    assertThat(
            parse(
                Task.MULTIPLE_CHOICE,
                "{'question': 's', 'choices': {'text': ['x', 'y'], 'label': ['1', '2']}, 'answerKey': '2'}"))
        .isEqualTo(question);
    assertThat(((TextRecord.MultipleChoice) question).toInstruction())
        .isEqualTo(
            new TextRecord.Instruction(
                "Question: s\nOptions: (A) x (B) y\n", "", "Answer: The answer is B.", "B"));

    TextRecord.MultipleChoice choice = (TextRecord.MultipleChoice) question;
    assertThat(choice.candidates())
        .hasSameSizeAs(choice.choices())
        .contains(choice.toInstruction());
    assertThat(choice.candidates())
        .element(1)
        .isEqualTo(
            new TextRecord.Instruction(
                choice.toInstruction().instruction(), "", "Answer: The answer is B.", "B"));
    TextRecord.MultipleChoice lettered =
        (TextRecord.MultipleChoice)
            parse(
                Task.MULTIPLE_CHOICE,
                "{'question': 's', 'choices': ['x', 'y'], 'answer': 'A', 'hint': ''}");
    assertThat(lettered.toInstruction().instruction())
        .isEqualTo("Context: N/A\nQuestion: s\nOptions: (A) x (B) y\n");
    assertThat(parse(Task.MULTIPLE_CHOICE, "{'instruction': 'i', 'output': 'o', 'answer': 'A'}"))
        .isEqualTo(new TextRecord.Instruction("i", "", "o", "A"));
  }

  @Test
  void readsSentences() {
    assertThat(parse(Task.CLASSIFICATION, "{'sentence': 's', 'label': 1}"))
        .isEqualTo(new TextRecord.Sentence("s", "1"));
    assertThat(parse(Task.CLASSIFICATION, "{'sentence1': 's', 'sentence2': 't', 'label': 'no'}"))
        .isEqualTo(new TextRecord.SentencePair("s", "t", "no"));
    assertThat(parse(Task.CLASSIFICATION, "{'sentence': 's'}"))
        .isEqualTo(new TextRecord.Sentence("s", null));
  }

  @Test
  void givesTheReasonOfABadRecord() {
    assertThatThrownBy(() -> parse(Task.CLASSIFICATION, "{'sentense': 's', 'label': 1}"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("no field sentence; fields are sentense, label");
    assertThatThrownBy(() -> parse(Task.CLASSIFICATION, "{'sentence': ' ', 'label': 1}"))
        .hasMessage("empty sentence");
    assertThatThrownBy(() -> parse(Task.CLASSIFICATION, "{'sentence': 's'"))
        .hasMessageStartingWith("malformed JSON: ");
    assertThatThrownBy(() -> parse(Task.CLASSIFICATION, "{} {}"))
        .hasMessageStartingWith("malformed JSON: ");
    assertThatThrownBy(() -> parse(Task.CAUSAL_LM, "[1]")).hasMessage("no JSON object");
    assertThatThrownBy(
            () ->
                parse(
                    Task.MULTIPLE_CHOICE,
                    "{'question': 'q', 'choices': ['x', 'y'], 'answer': 'C'}"))
        .hasMessage("Cannot use answer C: labels are [A, B]");
    assertThatThrownBy(
            () -> parse(Task.MULTIPLE_CHOICE, "{'question': 'q', 'choices': ['x'], 'answer': 'A'}"))
        .hasMessage("Cannot ask a question with 1 choices: expected 2 to 26");
    assertThatThrownBy(() -> parse(Task.MULTIPLE_CHOICE, "{'question': 'q'}"))
        .hasMessage("no list of choices");
  }

  @Test
  void refusesMappingsAndColumnsThatAreNotThere() {
    assertThatThrownBy(() -> new RecordParser(Task.CLASSIFICATION, Map.of("sentense", "x")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot map column sentense: classification has [label, sentence, sentence2]");
    RecordParser parser = new RecordParser(Task.CLASSIFICATION, Map.of("sentence", "_c3"));
    assertThatThrownBy(() -> parser.checkColumns("a.tsv", Set.of("label"), true))
        .hasMessage("Cannot read a.tsv: no column _c3; columns are label");
    assertThatThrownBy(() -> parser.checkColumns("a.tsv", Set.of("_c3"), true))
        .hasMessage("Cannot read a.tsv: no column label; columns are _c3");
    parser.checkColumns("a.tsv", Set.of("_c3"), false);
    assertThatThrownBy(() -> Task.parse("ranking"))
        .hasMessage(
            "Cannot use task ranking: expected one of [causal-lm, multiple-choice, classification]");
  }

  private static TextRecord parse(Task task, String json) {
    return new RecordParser(task, Map.of()).parse(json.replace('\'', '"'));
  }
}
