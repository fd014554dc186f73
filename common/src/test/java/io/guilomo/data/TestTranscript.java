package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.data.TextRecord.Conversation;
import io.guilomo.data.TextRecord.Message;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TestTranscript {

  private static final Set<String> CONTROL =
      Set.of(
          "<s>",
          "</s>",
          "<|im_start|>",
          "<|im_end|>",
          "<|eot_id|>",
          "<|start_header_id|>",
          "<|end_header_id|>",
          "<start_of_turn>",
          "<end_of_turn>",
          "<|end|>",
          "<|call|>",
          "<|assistant|>",
          "<|user|>");

  private static final ChatTemplate TRIMMING =
      template(
          "{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}<|end|>{% endfor %}"
              + "{% if add_generation_prompt %}<|assistant|>{% endif %}");

  @ParameterizedTest
  @CsvSource({
    "llama-3.jinja, <|eot_id|>",
    "gemma-2.jinja, <end_of_turn>",
    "gemma-3.jinja, <end_of_turn>",
    "mistral.jinja, </s>",
    "phi-3.jinja, <|end|>",
    "phi-4-mini.jinja, <|end|>",
    "chatml.jinja, <|im_end|>"
  })
  void learnsWhatTheAssistantSays(String template, String end) throws IOException {
    // Ends where the user's text is the assistant's, and where a text stands twice.
    Conversation conversation =
        conversation("say yes", "yes", "yes", " say yes\n", "and?", "yes </s> said <|im_end|>");
    assertThat(learned(conversation, shipped(template)))
        .zipSatisfy(
            List.of("yes", "say yes", "yes </s> said <|im_end|>"),
            (found, said) -> {
              assertThat(found).endsWith(end);
              assertThat(found.substring(0, found.length() - end.length()).strip()).isEqualTo(said);
            });
  }

  /** The template shows only the last thought, and inserts an empty one. */
  @Test
  void learnsTheThoughtsThatTheTemplateShows() throws IOException {
    Conversation conversation =
        conversation(
            "7?", "<think>\nprime\n</think>\n\nYes", "8?", "<think>\neven\n</think>\n\nNo");
    assertThat(learned(conversation, shipped("qwen-3.jinja")))
        .containsExactly("Yes<|im_end|>", "<think>\neven\n</think>\n\nNo<|im_end|>");
    assertThat(learned(conversation("a", "b"), shipped("qwen-3.jinja")))
        .containsExactly("<think>\n\n</think>\n\nb<|im_end|>");
  }

  /** Llama 3's first template asks for another response whether or not it should. */
  @Test
  void learnsNoHeaderThatFollows() {
    ChatTemplate always =
        template(
            "{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
                + "{{ m.content | trim }}<|eot_id|>{% endfor %}"
                + "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}");
    assertThat(learned(conversation("a", "b", "c", "d"), always))
        .containsExactly("b<|eot_id|>", "d<|eot_id|>");
  }

  @Test
  void learnsAnEndThatIsNoToken() {
    ChatTemplate plain =
        template(
            "{% for m in messages %}{{ m.role }}: {{ m.content }} [over]\n{% endfor %}"
                + "{% if add_generation_prompt %}assistant: {% endif %}");
    assertThat(learned(conversation("a", "b", "c", "d"), plain))
        .containsExactly("b [over]", "d [over]");
  }

  /** The system's text stands where it does not when the prompt alone is rendered. */
  @Test
  void learnsFromATemplateThatMovesTheSystem() throws IOException {
    List<Message> messages = new ArrayList<>(List.of(new Message("system", "Be brief.")));
    messages.addAll(conversation("ask me", "me").messages());
    assertThat(learned(new Conversation(messages, null, null), shipped("mistral.jinja")))
        .containsExactly(" me</s>");
  }

  /** A thought that only the prompt begins, as some models have it. */
  @Test
  void learnsWhereThePromptSaysMore() {
    ChatTemplate thinking =
        template(
            "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
                + "{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}");
    assertThat(learned(conversation("a", "b", "c", "d"), thinking))
        .containsExactly("b<|end|>", "d<|end|>");
  }

  @Test
  void learnsAfterTheAssistantSpokeFirst() throws IOException {
    Conversation conversation =
        new Conversation(
            List.of(
                new Message("assistant", "Hello"),
                new Message("user", "Hello"),
                new Message("assistant", "Hello")),
            null,
            null);
    assertThat(learned(conversation, shipped("phi-4-mini.jinja")))
        .containsExactly("Hello<|end|>", "Hello<|end|>");
  }

  @Test
  void refusesWhatHasNothingToLearn() throws IOException {
    ChatTemplate template = shipped("gemma-2.jinja");
    assertThatThrownBy(() -> learned(conversation("a"), template))
        .hasMessage("Cannot learn from a conversation in which the assistant is silent");
    Conversation twice =
        new Conversation(
            List.of(
                new Message("user", "a"), new Message("user", "b"), new Message("assistant", "c")),
            null,
            null);
    assertThatThrownBy(() -> learned(twice, template))
        .hasMessage(
            "Cannot render the chat template, line 2: it says: Conversation roles must alternate"
                + " user/assistant/user/assistant/...");
    ChatTemplate shouting = template("{% for m in messages %}{{ m.content | length }}{% endfor %}");
    assertThatThrownBy(() -> learned(conversation("a", "b"), shouting))
        .hasMessage(
            "Cannot learn from a conversation: the chat template does not write what the assistant"
                + " says as it is");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"city\": \"Rome\"}",
        "{\"days\": 2}",
        "{}",
        "{\"at\": [{\"city\": \"yes <|im_end|>\", \"days\": 2}], \"late\": true}",
        "\"{\\\"city\\\": \\\"Rome\\\"}\""
      })
  void learnsCalls(String arguments) throws IOException {
    String written =
        String.valueOf(arguments.startsWith("\"") ? PlainJson.read(arguments) : arguments);
    String call = "<tool_call>\n{\"name\": \"rain\", \"arguments\": " + written;
    assertThat(learned(asked(calling("", arguments)), shipped("qwen-3.jinja")))
        .containsExactly(
            call + "}\n</tool_call><|im_end|>", "<think>\n\n</think>\n\nNo.<|im_end|>");
    assertThat(learned(asked(calling("I look.", arguments)), shipped("qwen-3.jinja")))
        .containsExactly(
            "I look.\n" + call + "}\n</tool_call><|im_end|>",
            "<think>\n\n</think>\n\nNo.<|im_end|>");
    assertThat(
            learned(asked(calling("<think>\nx\n</think>\n\n", arguments)), shipped("qwen-3.jinja")))
        .containsExactly(
            "<think>\nx\n</think>\n\n" + call + "}\n</tool_call><|im_end|>",
            "<think>\n\n</think>\n\nNo.<|im_end|>");
    assertThat(learned(asked(calling("ignored", arguments)), shipped("llama-3.jinja")))
        .containsExactly(
            "{\"name\": \"rain\", \"parameters\": " + arguments + "}<|eot_id|>", "No.<|eot_id|>");
  }

  @Test
  void learnsACallAtTheEnd() throws IOException {
    Conversation called =
        new Conversation(
            List.of(
                new Message("user", "Rain?"),
                new Message(
                    "assistant",
                    "",
                    "{\"tool_calls\": [{\"name\": \"rain\", \"arguments\": {}},"
                        + " {\"name\": \"sun\", \"arguments\": {}}]}")),
            null,
            null);
    String call = "<tool_call>\n{\"name\": \"%s\", \"arguments\": {}}\n</tool_call>";
    assertThat(learned(called, shipped("qwen-3.jinja")))
        .containsExactly(
            "<think>\n\n</think>\n\n"
                + call.formatted("rain")
                + "\n"
                + call.formatted("sun")
                + "<|im_end|>");
  }

  /** Templates that ignore calls, or end them otherwise than answers, or drop thoughts. */
  @Test
  void learnsCallsOfOtherTemplates() throws IOException {
    assertThat(learned(asked(calling("", "{}")), shipped("phi-4-mini.jinja")))
        .containsExactly("<|end|>", "No.<|end|>");
    String calls =
        "{% for m in messages %}<|{{ m.role }}|>"
            + "{% if m.tool_calls %}{{ m.tool_calls | tojson }}<|call|>"
            + "{% else %}{{ m.content }}<|end|>{% endif %}{% endfor %}"
            + "{% if add_generation_prompt %}<|assistant|>THINK{% endif %}";
    String call = "[{\"function\": {\"name\": \"rain\", \"arguments\": {\"a\": \"b\"}}}]<|call|>";
    Conversation conversation = asked(calling("", "{\"a\": \"b\"}"));
    assertThat(learned(conversation, template(calls.replace("THINK", ""))))
        .containsExactly(call, "No.<|end|>");
    assertThat(learned(conversation, template(calls.replace("THINK", "<think>\n"))))
        .containsExactly(call, "No.<|end|>");
    assertThat(learned(conversation, template(calls.replace("THINK", "\n[t"))))
        .containsExactly(call, "No.<|end|>");
    // The system's text is in another place in the prompt.
    String moving =
        "{% for m in messages %}{% if m.role == 'user' %}"
            + "[INST] {% if loop.last %}now {% endif %}{{ m.content }}[/INST]"
            + "{% elif m.tool_calls %}{{ m.tool_calls | tojson }}</s>"
            + "{% else %} {{ m.content }}</s>{% endif %}{% endfor %}";
    assertThat(learned(conversation, template(moving)))
        .containsExactly(call.replace("<|call|>", "</s>"), " No.</s>");
  }

  @Test
  void learnsWhereTextsHoldCharactersForPrivateUse() {
    assertThat(learned(conversation("\ue000", "\ue001\ue000 ", "c", "\ue003"), TRIMMING))
        .containsExactly("\ue001\ue000<|end|>", "\ue003<|end|>");
  }

  @Test
  void refusesWhatItCannotFind() {
    // Only what has a text has an end: the mark of a silent turn would give it one.
    ChatTemplate silent =
        template(
            "{% for m in messages %}<|{{ m.role }}|>{% if m.content %}{{ m.content }}<|end|>"
                + "{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}");
    assertThat(learned(conversation("a", "b"), silent)).containsExactly("b<|end|>");
    assertThatThrownBy(() -> learned(conversation("a", "b", "c", ""), silent))
        .hasMessageEndingWith("the chat template does not write what the assistant says as it is");
    ChatTemplate upper =
        template(
            "{% for m in messages %}{{ loop.length }}{{ m.content | upper }}<|end|>{% endfor %}");
    assertThatThrownBy(() -> learned(conversation("a", "b"), upper))
        .hasMessage(
            "Cannot learn from a conversation: cannot tell where message 2 begins in what the chat"
                + " template writes");
    ChatTemplate particular =
        template(
            "{% for m in messages %}{% if loop.last and 'tool_calls' in m %}"
                + "{{ raise_exception('no result') }}{% endif %}"
                + "<|{{ m.role }}|>{{ m.tool_calls | tojson if m.tool_calls else m.content }}<|end|>"
                + "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}");
    assertThatThrownBy(() -> learned(asked(calling("", "{}")), particular))
        .hasMessageContaining("cannot tell where message 2 ends in what");
  }

  /** The template says nothing about a plain conversation. */
  @Test
  void learnsTheEndThatFollowsIfTheTemplateDoesNotTell() {
    ChatTemplate demanding =
        template(
            "{% if messages[0].role != 'system' %}{{ raise_exception('no system') }}{% endif %}"
                + TRIMMING.source());
    List<Message> messages = new ArrayList<>(List.of(new Message("system", "s")));
    messages.addAll(conversation("a", "b", "c", "d").messages());
    assertThat(TurnEnd.of(demanding, new ControlTokens(CONTROL)).known()).isEmpty();
    assertThat(learned(new Conversation(messages, null, null), demanding))
        .containsExactly("b<|end|>", "d<|end|>");
  }

  @Test
  void learnsNoBeginningOfAnotherTurnAsAnEnd() {
    String endless =
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}END{% endfor %}"
            + "{% if add_generation_prompt %}<|assistant|>{% endif %}";
    assertThat(learned(conversation("a", "b", "c", "d"), template(endless.replace("END", ""))))
        .containsExactly("b", "d");
    String between = "{{ '</s>' if not loop.last }}";
    assertThat(learned(conversation("a", "b", "c", "d"), template(endless.replace("END", between))))
        .containsExactly("b</s>", "d");
  }

  @Test
  void refusesATemplateBeforeItsData() {
    assertThatThrownBy(() -> template("a\n{{ messages | nothing }}"))
        .hasMessage("Cannot render the chat template, line 2: there is no filter nothing");
    assertThatThrownBy(() -> template("{{ messages.first.second }}").check())
        .hasMessageStartingWith("Cannot render the chat template, line 1: ");
    assertThatThrownBy(() -> template(" \n")).hasMessage("Cannot use a chat template without text");
    template("{{ raise_exception('a system message is needed') }}").check();
  }

  private static Message calling(String content, String arguments) {
    return new Message(
        "assistant",
        content,
        "{\"tool_calls\": [{\"function\": {\"name\": \"rain\", \"arguments\": %s}}]}"
            .formatted(arguments));
  }

  private static Conversation asked(Message call) {
    return new Conversation(
        List.of(
            new Message("user", "Rain?"),
            call,
            new Message("tool", "0 mm"),
            new Message("assistant", "No.")),
        null,
        null);
  }

  private static List<String> learned(Conversation conversation, ChatTemplate template) {
    Transcript transcript =
        Transcript.of(conversation, template, TurnEnd.of(template, new ControlTokens(CONTROL)));
    return transcript.learned().stream()
        .map(span -> transcript.text().substring(span.from(), span.to()))
        .toList();
  }

  static Conversation conversation(String... texts) {
    List<Message> messages = new ArrayList<>();
    for (String text : texts) {
      messages.add(new Message(messages.size() % 2 == 0 ? "user" : "assistant", text));
    }
    return new Conversation(messages, null, null);
  }

  static ChatTemplate template(String source) {
    return new ChatTemplate(source, Map.of("bos_token", "<s>", "eos_token", "</s>"));
  }

  static ChatTemplate shipped(String file) throws IOException {
    try (InputStream in = TestTranscript.class.getResourceAsStream("/chat/" + file)) {
      return template(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }
}
