package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.data.TestRecordEncoder.StubEncoder;
import io.guilomo.data.TextRecord.Conversation;
import io.guilomo.data.TextRecord.Message;
import io.guilomo.model.Task;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Conversations from their records to what is learned from them. */
class TestConversations {

  private static final int X = TokenBatch.IGNORED;

  private static final RecordParser PARSER = new RecordParser(Task.CAUSAL_LM, Map.of());

  private static final ChatTemplate TEMPLATE =
      TestTranscript.template(
          "{% for m in messages %}{{ m.role[0] }}{{ m.content }}#{% endfor %}"
              + "{% if add_generation_prompt %}a{% endif %}");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'messages': [{'role': 'user', 'content': 'hi'}, {'role': 'assistant', 'content': 'yo'}]}",
        "{'conversations': [{'from': 'human', 'value': 'hi'}, {'from': 'gpt', 'value': 'yo'}]}",
        "{'prompt': 'hi', 'completion': 'yo'}",
        "{'prompt': [{'role': 'user', 'content': 'hi'}],"
            + " 'completion': [{'role': 'assistant', 'content': 'yo'}]}",
        "{'messages': [{'role': 'user', 'content': [{'type': 'text', 'text': 'h'},"
            + " {'type': 'text', 'text': 'i'}], 'name': null},"
            + " {'role': 'assistant', 'content': 'yo'}], 'other': 1}"
      })
  void readsEveryForm(String record) {
    assertThat(parse(record))
        .isEqualTo(
            new Conversation(
                List.of(new Message("user", "hi"), new Message("assistant", "yo")), null, null));
    assertThat(parse(record).digest())
        .isEqualTo(parse("{'prompt': 'hi', 'completion': 'yo'}").digest());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[{\"id\": 1}] text",
        "[{\"id\": 1}]",
        "[{\"role\": \"user\"}, 1]",
        "[{\"role\": \"user\", \"content\": \"a\"}] text",
        "[]",
        "[1, 2]",
        "{\"role\": \"user\"}",
        "12"
      })
  void takesPromptsAsTheyAre(String prompt) throws IOException {
    String record = new ObjectMapper().writeValueAsString(Map.of("prompt", prompt));
    assertThat(PARSER.parse(record))
        .isEqualTo(new Conversation(List.of(new Message("user", prompt)), null, null));
  }

  @ParameterizedTest
  @ValueSource(strings = {"''", "' '", "[]", "null"})
  void predictsWhatHasAnEmptyCompletion(String completion) {
    assertThat(parse("{'prompt': 'hi', 'completion': " + completion + "}"))
        .isEqualTo(new Conversation(List.of(new Message("user", "hi")), null, null));
  }

  @Test
  void readsATableWhoseColumnsAreJson() {
    assertThat(
            PARSER.parse(
                "{\"messages\": \"[{\\\"role\\\": \\\"user\\\", \\\"content\\\": \\\"hi\\\"}]\"}"))
        .isEqualTo(new Conversation(List.of(new Message("user", "hi")), null, null));
    RecordParser renamed = new RecordParser(Task.CAUSAL_LM, Map.of("messages", "dialog"));
    renamed.checkColumns("t", Set.of("dialog"), true);
    PARSER.checkColumns("t", Set.of("conversations"), true);
    PARSER.checkColumns("t", Set.of("prompt", "completion"), true);
    assertThatThrownBy(() -> PARSER.checkColumns("t", Set.of("prompt"), true))
        .hasMessage("Cannot read t: no column completion; columns are prompt");
  }

  @Test
  void keepsCallsOfFunctions() {
    Conversation conversation =
        (Conversation)
            parse(
                "{'tools': [{'name': 'f'}], 'messages': [{'role': 'user', 'content': 'hi'},"
                    + " {'role': 'assistant', 'content': null, 'tool_calls': [{'n': 12345678901234567890}]},"
                    + " {'role': 'tool', 'content': 4}, {'role': 'assistant', 'content': 'yo'}]}");
    assertThat(conversation.toolValues()).isEqualTo(List.of(Map.of("name", "f")));
    assertThat(conversation.messages().get(1).values())
        .containsEntry("content", "")
        .containsEntry("tool_calls", List.of(Map.of("n", 12345678901234567890.0)));
    assertThat(conversation.messages().get(2).content()).isEqualTo("4");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'name': 'f'}",
        "[{'name': 'f'}]",
        "'{\\'name\\': \\'f\\'}'",
        "' [{\\'name\\': \\'f\\'}]'"
      })
  void readsFunctionsInEveryForm(String tools) {
    Conversation conversation =
        (Conversation) parse("{'prompt': 'hi', 'completion': 'yo', 'tools': " + tools + "}");
    assertThat(conversation.toolValues()).isEqualTo(List.of(Map.of("name", "f")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"null", "NaN", "[]", "{}", "''", "' '", "'null'", "'[]'"})
  void toleratesThatThereAreNoFunctions(String tools) {
    assertThat(parse("{'prompt': 'hi', 'completion': 'yo', 'tools': " + tools + "}"))
        .isEqualTo(parse("{'prompt': 'hi', 'completion': 'yo'}"));
  }

  @Test
  void saysWhatIsWrong() {
    assertBad("{'prompt': 'hi', 'tools': 3}", "tools are no list of functions");
    assertBad("{'prompt': 'hi', 'tools': true}", "tools are no list of functions");
    assertBad("{'prompt': 'hi', 'tools': '3'}", "tools are no list of functions");
    assertBad("{'prompt': 'hi', 'tools': '[{'}", "tools are no JSON");
    assertBad("{'prompt': 'hi', 'tools': 'f(x)'}", "tools are no JSON");
    assertBad("{'messages': []}", "no messages");
    assertBad("{'messages': 'hi'}", "no list of messages");
    assertBad("{'messages': '[] and more'}", "no list of messages");
    assertBad("{'messages': ['hi']}", "message 1 is no object");
    assertBad("{'messages': [{'content': 'hi'}]}", "message 1 has no role");
    assertBad("{'messages': [{'role': 'user'}]}", "message 1 has no content");
    assertBad(
        "{'messages': [{'role': 'user', 'content': [{'type': 'image'}]}]}",
        "message 1 has content of type image: expected text");
    assertBad("{'prompt': ' ', 'completion': 'a'}", "empty prompt");
    assertBad("{'text': 'a'}", "no field instruction; fields are text");
  }

  @Test
  void learnsEveryTurnOfTheAssistant() {
    Example example = encode(prompts(false), 64, TestTranscript.conversation("x", "yz", "u", "v"));
    assertThat(text(example)).isEqualTo("ux#ayz#uu#av#");
    assertThat(example.labels()).containsExactly(X, X, X, X, 'y', 'z', '#', X, X, X, X, 'v', '#');
  }

  @Test
  void cutsAtTheMaximumLength() {
    Conversation conversation = TestTranscript.conversation("x", "yz", "u", "v");
    assertThat(text(encode(prompts(false), 6, conversation))).isEqualTo("ux#ayz");
    RecordEncoder.Outcome short4 =
        new RecordEncoder(
                new StubEncoder(text -> text.chars().toArray()),
                RecordEncoder.Options.causal(4, false, prompts(false)))
            .encode(conversation);
    assertThat(short4.truncated()).isTrue();
    assertThat(short4.example()).isEmpty();
  }

  /** Special tokens separate the turns, so that what precedes them need not be encoded again. */
  @Test
  void encodesLongConversationsInLinearTime() {
    int turns = 100;
    String[] texts = new String[2 * turns];
    Arrays.setAll(texts, i -> "text " + i);
    TestTokenPositions.Counting encoder = new TestTokenPositions.Counting(separating());
    RecordEncoder records =
        new RecordEncoder(encoder, RecordEncoder.Options.causal(1 << 16, false, prompts(false)));
    records.encode(TestTranscript.conversation("x", "y"));
    Example example = records.encode(TestTranscript.conversation(texts)).example().orElseThrow();
    StringBuilder learned = new StringBuilder();
    for (int t = 0; t < example.tokens().length; t++) {
      if (example.labels()[t] != X) {
        learned.appendCodePoint(example.tokens()[t]);
      }
    }
    StringBuilder said = new StringBuilder();
    for (int i = 1; i < texts.length; i += 2) {
      said.append(texts[i]).append('#');
    }
    assertThat(learned).hasToString(said.toString());
    assertThat(encoder.encoded).isLessThan(4 * example.tokens().length);
    assertThat(encoder.asked).isEqualTo(1);
  }

  private static TextEncoder separating() {
    return new TextEncoder() {
      @Override
      public int[] encode(String text) {
        return text.chars().toArray();
      }

      @Override
      public int[] encodeBare(String text) {
        return encode(text);
      }

      @Override
      public OptionalInt bos() {
        return OptionalInt.empty();
      }

      @Override
      public OptionalInt eos() {
        return OptionalInt.empty();
      }

      @Override
      public Frame frame(boolean pair) {
        throw new AssertionError();
      }

      @Override
      public Set<String> controlTokens() {
        return Set.of("#");
      }
    };
  }

  @Test
  void dropsWhatNobodyLearnsAtTheEnd() {
    Conversation asked = TestTranscript.conversation("x", "y", "unanswered");
    assertThat(text(encode(prompts(false), 64, asked))).isEqualTo("ux#ay#");
  }

  @Test
  void writesInstructionsAsConversationsOnlyIfAsked() {
    TextRecord.Instruction record = new TextRecord.Instruction("do", "it", "ok", null);
    assertThat(text(encode(prompts(true), 64, record))).isEqualTo("udo\n\nit#aok#");
    PromptEncoder chat =
        new PromptEncoder(new StubEncoder(text -> text.chars().toArray()), prompts(true));
    assertThat(string(chat.prompt(record))).isEqualTo("udo\n\nit#a");
    assertThat(string(chat.text(record))).isEqualTo("udo\n\nit#aok");
    assertThat(chat.turnEnd()).isEqualTo("#");
    PromptEncoder auto =
        new PromptEncoder(new StubEncoder(text -> text.chars().toArray()), prompts(false));
    assertThat(string(auto.prompt(record))).startsWith("Below is an instruction");
    assertThat(string(auto.prompt(TestTranscript.conversation("x", "y")))).isEqualTo("ux#a");
    assertThat(string(auto.prompt(TestTranscript.conversation("x")))).isEqualTo("ux#a");
  }

  @Test
  void writesOneTurnWithoutAChatTemplate() {
    PromptEncoder alpaca =
        new PromptEncoder(new StubEncoder(text -> text.chars().toArray()), PromptTemplate.alpaca());
    Conversation one =
        new Conversation(
            List.of(
                new Message("system", "s"),
                new Message("user", "q"),
                new Message("assistant", "r")),
            null,
            null);
    assertThat(string(alpaca.text(one))).endsWith("### Instruction:\ns\n\nq\n\n### Response:\nr");
    assertThatThrownBy(() -> alpaca.prompt(TestTranscript.conversation("x", "y", "z")))
        .hasMessage(
            "Cannot write a conversation of 3 messages with a prompt template for one instruction:"
                + " set data.prompt-template to chat, and model.path to a model with a chat template");
  }

  private static PromptTemplate prompts(boolean always) {
    return PromptTemplate.alpaca().with(new PromptTemplate.Chat(TEMPLATE, always));
  }

  private static Example encode(PromptTemplate template, int maxLength, TextRecord record) {
    return new RecordEncoder(
            new StubEncoder(text -> text.chars().toArray()),
            RecordEncoder.Options.causal(maxLength, false, template))
        .encode(record)
        .example()
        .orElseThrow();
  }

  private static TextRecord parse(String json) {
    return PARSER.parse(json.replace('\'', '"'));
  }

  private static void assertBad(String json, String message) {
    assertThatThrownBy(() -> parse(json)).hasMessage(message);
  }

  private static String text(Example example) {
    return string(example.tokens());
  }

  private static String string(int[] tokens) {
    StringBuilder text = new StringBuilder();
    Arrays.stream(tokens).forEach(text::appendCodePoint);
    return text.toString();
  }
}
