package io.guilomo.inference;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.data.ChatTemplate;
import io.guilomo.data.PromptEncoder;
import io.guilomo.data.PromptTemplate;
import io.guilomo.data.TextRecord;
import io.guilomo.data.WordEncoder;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TestChoices {

  private static final TextRecord.MultipleChoice QUESTION =
      new TextRecord.MultipleChoice(
          null,
          "Which ?",
          List.of(new TextRecord.Choice("1", "this"), new TextRecord.Choice("2", "that one")),
          "2");

  @Test
  void haveNoEndOfSequence() {
    WordEncoder encoder = new WordEncoder(true);
    PromptEncoder prompts = new PromptEncoder(encoder, PromptTemplate.alpaca());
    assertThat(Choices.of(QUESTION, prompts).responses())
        .containsExactly(
            encoder.encodeBare("Answer: The answer is A."),
            encoder.encodeBare("Answer: The answer is B."));
    assertThat(Choices.ofResponse(QUESTION, prompts).orElseThrow().responses())
        .containsExactly(encoder.encodeBare("Answer: The answer is B."));
  }

  @Test
  void areOfOneTime() {
    WordEncoder encoder = new WordEncoder();
    ChatTemplate dated =
        new ChatTemplate(
            "{{ strftime_now('%F') }} {% for m in messages %}{{ m.content }} # {% endfor %}",
            Map.of());
    PromptEncoder prompts =
        new PromptEncoder(
            encoder,
            PromptTemplate.alpaca().with(new PromptTemplate.Chat(dated, true)),
            new Days(ZoneOffset.UTC));
    Choices choices = Choices.of(QUESTION, prompts);
    assertThat(encoder.decode(choices.prompt(), false)).startsWith("1970-01-02 Question: Which ?");
    assertThat(choices.responses())
        .extracting(response -> encoder.decode(response, false))
        .containsExactly("Answer: The answer is A.", "Answer: The answer is B.");
    Choices right = Choices.ofResponse(QUESTION, prompts).orElseThrow();
    assertThat(encoder.decode(right.prompt(), false)).startsWith("1970-01-03 Question: Which ?");
    assertThat(encoder.decode(right.responses().get(0), false))
        .isEqualTo("Answer: The answer is B.");
  }

  /** A day passes whenever it is read. */
  private static final class Days extends Clock {
    private final ZoneId zone;
    private int day;

    Days(ZoneId zone) {
      this.zone = zone;
    }

    @Override
    public ZoneId getZone() {
      return zone;
    }

    @Override
    public Clock withZone(ZoneId other) {
      return new Days(other);
    }

    @Override
    public Instant instant() {
      return Instant.EPOCH.plusSeconds(86_400L * ++day);
    }
  }
}
