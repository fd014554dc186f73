package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.model.Task;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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
  void aMissingSecondTextMakesASingleSentence() {
    for (String second : List.of("null", "NaN", "''", "' \\t'")) {
      assertThat(
              parse(
                  Task.CLASSIFICATION,
                  "{'sentence': 's', 'sentence2': %s, 'label': 1}".formatted(second)))
          .isEqualTo(new TextRecord.Sentence("s", "1"));
    }
    assertThatThrownBy(() -> parse(Task.CLASSIFICATION, "{'sentence': 's', 'sentence2': ['t']}"))
        .hasMessage("sentence2 is a list, not a text");
  }

  @Test
  void aMissingLabelIsNoClass() {
    RecordParser parser = new RecordParser(Task.CLASSIFICATION, Map.of());
    for (String label : List.of("null", "NaN", "\"NaN\"", "\"nan\"", "\"\"", "\" \"")) {
      String record = "{\"sentence\": \"s\", \"label\": %s}".formatted(label);
      assertThat(parser.parse(record)).isEqualTo(new TextRecord.Sentence("s", null));
      assertThatThrownBy(() -> parser.parse(record, true)).hasMessage("missing label");
    }
    assertThat(parser.parse("{\"sentence\": \"s\", \"label\": \"NA\"}", true))
        .isEqualTo(new TextRecord.Sentence("s", "NA"));
    assertThatThrownBy(() -> parser.parse("{\"text\": \"s\", \"labels\": 0}", true))
        .hasMessage("no field label; fields are text, labels");
  }

  @Test
  void theTargetOfATrainingIsRequired() {
    RecordParser parser = new RecordParser(Task.CAUSAL_LM, Map.of());
    assertThat(parser.parse("{\"instruction\": \"i\"}"))
        .isEqualTo(new TextRecord.Instruction("i", "", "", null));
    assertThatThrownBy(() -> parser.parse("{\"instruction\": \"i\", \"response\": \"o\"}", true))
        .hasMessage("no field output; fields are instruction, response");
  }

  @Test
  void whatIsNoTextIsRefusedByItsType() {
    assertThatThrownBy(() -> parse(Task.CLASSIFICATION, "{'sentence': ['a', 'b']}"))
        .hasMessage("sentence is a list, not a text");
    assertThatThrownBy(() -> parse(Task.CLASSIFICATION, "{'text': {'en': 'a'}}"))
        .hasMessage("sentence is an object, not a text");
    assertThatThrownBy(
            () -> parse(Task.CAUSAL_LM, "{'instruction': 'i', 'input': ['x'], 'output': 'o'}"))
        .hasMessage("input is a list, not a text");
    RecordParser parser = new RecordParser(Task.CLASSIFICATION, Map.of());
    String several = "{\"sentence\": \"s\", \"label\": [0, 1]}";
    assertThatThrownBy(() -> parser.parse(several, true)).hasMessage("label is a list, not a text");
    assertThat(parser.parse(several)).isEqualTo(new TextRecord.Sentence("s", null));
  }

  @Test
  void fieldsThatDifferOnlyByCaseOrNotAtAllAreRefused() {
    assertThatThrownBy(
            () -> parse(Task.CLASSIFICATION, "{'sentence': 's', 'label': 0, 'Label': 'x'}"))
        .hasMessage("two fields are called label: label, Label");
    assertThatThrownBy(() -> parse(Task.CLASSIFICATION, "{'sentence': 's', 'sentence': 't'}"))
        .hasMessage("two fields are called sentence");
    assertThat(parse(Task.CLASSIFICATION, "{'sentence': 's', 'id': 0, 'ID': 1}"))
        .isEqualTo(new TextRecord.Sentence("s", null));
    RecordParser parser = new RecordParser(Task.CLASSIFICATION, Map.of());
    Set<String> columns = new LinkedHashSet<>(List.of("sentence", "label", "Label"));
    assertThatThrownBy(() -> parser.checkColumns("a.csv", columns, true))
        .hasMessage("Cannot read a.csv: two columns are called label: label, Label; rename one");
  }

  @Test
  void aFieldMayHaveSeveralNames() {
    RecordParser parser =
        new RecordParser(Task.CLASSIFICATION, Map.of("sentence", "title|body", "label", "labels"));
    assertThat(parser.parse("{\"title\": \"s\", \"labels\": 1}", true))
        .isEqualTo(new TextRecord.Sentence("s", "1"));
    assertThat(parser.parse("{\"body\": \"t\", \"labels\": 1}", true))
        .isEqualTo(new TextRecord.Sentence("t", "1"));
    parser.checkColumns("a.csv", Set.of("body"), false);
    assertThatThrownBy(() -> parser.checkColumns("a.csv", Set.of("body", "label"), true))
        .hasMessageStartingWith("Cannot read a.csv: no column labels; columns are ");
  }

  /** As in tables, where every row has every column. */
  @Test
  void aNullFieldGivesWayToOneWithAValue() {
    RecordParser causal = new RecordParser(Task.CAUSAL_LM, Map.of());
    String turn = "[{\"role\": \"user\", \"content\": \"hi\"}]";
    TextRecord talk = causal.parse("{\"messages\": " + turn + "}");
    for (String fields :
        List.of(
            "'instruction': null, 'output': null, 'messages': TURN",
            "'instruction': NaN, 'messages': null, 'conversations': TURN",
            "'messages': null, 'prompt': TURN, 'completion': null")) {
      String json = "{" + fields.replace('\'', '"').replace("TURN", turn) + "}";
      assertThat(causal.parse(json, true)).isEqualTo(talk);
    }
    assertThat(
            causal.parse("{\"instruction\": \"i\", \"output\": \"o\", \"messages\": null}", true))
        .isEqualTo(new TextRecord.Instruction("i", "", "o", null));
    assertThatThrownBy(() -> parse(Task.CAUSAL_LM, "{'messages': null, 'prompt': null}"))
        .hasMessage("empty messages");
    assertThatThrownBy(() -> parse(Task.CAUSAL_LM, "{'instruction': null, 'messages': null}"))
        .hasMessage("empty instruction");
    assertThatThrownBy(() -> causal.parse("{\"instruction\": \"i\", \"output\": null}", true))
        .hasMessage("missing output");
    causal.checkColumns("a.parquet", Set.of("instruction", "messages"), true);
    causal.checkColumns("a.parquet", Set.of("instruction", "answer"), true);
    assertThat(causal.parse("{\"instruction\": \"i\", \"answer\": \"a\"}", true))
        .isEqualTo(new TextRecord.Instruction("i", "", "", "a"));
    assertThatThrownBy(() -> causal.checkColumns("a.parquet", Set.of("instruction"), true))
        .hasMessage("Cannot read a.parquet: no column output; columns are instruction");

    assertThat(
            new RecordParser(Task.CLASSIFICATION, Map.of("label", "labels|target"))
                .parse(
                    "{\"sentence\": null, \"text\": \"s\", \"labels\": null, \"target\": 0}", true))
        .isEqualTo(new TextRecord.Sentence("s", "0"));
    assertThatThrownBy(() -> parse(Task.CLASSIFICATION, "{'sentence': null, 'text': null}"))
        .hasMessage("empty sentence");
    assertThatThrownBy(
            () -> parse(Task.CLASSIFICATION, "{'sentence': null, 'Sentence': 'x', 'text': 's'}"))
        .hasMessage("two fields are called sentence: sentence, Sentence");

    assertThat(
            parse(
                Task.MULTIPLE_CHOICE,
                "{'question': {'stem': 's', 'choices': [{'text': 'x', 'label': null}, {'text': 'y'}]},"
                    + " 'choices': null, 'answerKey': null, 'answer': 'B'}"))
        .isEqualTo(
            new TextRecord.MultipleChoice(
                null,
                "s",
                List.of(new TextRecord.Choice("A", "x"), new TextRecord.Choice("B", "y")),
                "B"));
    assertThat(
            parse(
                Task.MULTIPLE_CHOICE,
                "{'question': null, 'choices': null, 'instruction': 'i', 'output': 'o'}"))
        .isEqualTo(new TextRecord.Instruction("i", "", "o", null));
  }

  @Test
  void aMessageOfAnotherLibraryIsCut() {
    assertThatThrownBy(() -> parse(Task.CLASSIFICATION, "{'sentence': 's'"))
        .hasMessageMatching(
            "malformed JSON: Unexpected end-of-input: expected close marker for Object");
    String many =
        IntStream.range(0, 30).mapToObj(i -> "'f" + i + "': 0").collect(Collectors.joining(","));
    assertThatThrownBy(() -> parse(Task.CLASSIFICATION, "{" + many + "}"))
        .hasMessageEndingWith("f18, f19, … (10 more)");
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
