package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.data.TestRecordEncoder.StubEncoder;
import java.io.IOException;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where prompts and texts end. */
class TestPromptEncoder {

  private static final int X = TokenBatch.IGNORED;

  private static final PromptTemplate TEMPLATE =
      new PromptTemplate(
          "{instruction} {input} : ", "{instruction} : ", ":", Pattern.compile("(.)"));

  private static final TextRecord.Instruction RECORD =
      new TextRecord.Instruction("a b", "", "c d", null);

  @Test
  void theSequenceDoesNotEndBeforeTheResponse() {
    WordEncoder ending = new WordEncoder(true);
    assertThat(ending.encode("a b : c d")).containsExactly(1, 10, 11, 12, 13, 14, 2);
    PromptEncoder prompts = new PromptEncoder(ending, TEMPLATE);
    assertThat(prompts.prompt(RECORD)).containsExactly(1, 10, 11, 12);
    assertThat(prompts.text(RECORD)).containsExactly(1, 10, 11, 12, 13, 14);
    RecordEncoder records =
        new RecordEncoder(ending, RecordEncoder.Options.causal(32, false, TEMPLATE));
    assertThat(records.encodeInput(RECORD).example().orElseThrow().tokens())
        .containsExactly(1, 10, 11, 12);
    Example example = records.encode(RECORD).example().orElseThrow();
    assertThat(example.tokens()).containsExactly(1, 10, 11, 12, 13, 14, 2);
    assertThat(example.labels()).containsExactly(X, X, X, X, 13, 14, 2);
  }

  @Test
  void onlyWhatIsPutBehindATextIsTakenAway() {
    Frame frame = Frame.of(new int[] {Frame.FIRST, 2, 3}, 0);
    assertThat(frame.open(new int[] {7, 2, 2, 3})).containsExactly(7, 2);
    assertThat(frame.open(new int[] {7, 2})).containsExactly(7, 2);
    assertThat(frame.open(new int[] {3})).containsExactly(3);
    assertThat(Frame.of(new int[] {1, Frame.FIRST}, 0).open(new int[] {1, 1}))
        .containsExactly(1, 1);
  }

  /** The text before the response and what ends the turn hold the responses too. */
  @ParameterizedTest
  @ValueSource(strings = {"in", "im", "think", "end", "<think>", "a"})
  void theResponseIsWhereTheTemplateWritesIt(String response) throws IOException {
    assertThat(text(TestTranscript.shipped("qwen-3.jinja"), response))
        .isEqualTo(
            "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
                + response);
  }

  @Test
  void whatIsWrittenInsteadOfAResponseIsWithoutTheTurnsEnd() {
    ChatTemplate replacing =
        TestTranscript.template(
            "{% for m in messages %}{{ m.role[0] }}"
                + "{% if m.content == 'why' %}because{% else %}{{ m.content }}{% endif %} #\n"
                + "{% endfor %}{% if add_generation_prompt %}a{% endif %}");
    assertThat(text(replacing, "why")).isEqualTo("ua #\nabecause");
    assertThat(text(replacing, " what\n")).isEqualTo("ua #\na what");
    ChatTemplate counting =
        TestTranscript.template(
            "{% for m in messages %}{{ m.role[0] }}"
                + "{{ m.content | length if m.content != 'Answer' }}{{ m.content }}#{% endfor %}"
                + "{% if add_generation_prompt %}a{% endif %}");
    assertThat(text(counting, "2")).isEqualTo("u1a#a12");
  }

  private static String text(ChatTemplate template, String response) {
    PromptEncoder prompts =
        new PromptEncoder(
            new StubEncoder(text -> text.chars().toArray()),
            PromptTemplate.alpaca().with(new PromptTemplate.Chat(template, false)));
    StringBuilder text = new StringBuilder();
    Arrays.stream(prompts.text(TestTranscript.conversation("a", response)))
        .forEach(text::appendCodePoint);
    return text.toString();
  }
}
