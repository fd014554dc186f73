package io.guilomo.data;

import io.guilomo.data.TextRecord.Conversation;
import io.guilomo.template.Template.Span;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Converts records to the token ids of prompts and responses. The text of a chat template has its
 * special tokens in it, so the tokenizer adds none.
 */
public record PromptEncoder(TextEncoder encoder, PromptTemplate template) {

  /**
   * A conversation to learn from.
   *
   * @param labels {@link TokenBatch#IGNORED} except for what the assistant says
   */
  record Learned(int[] tokens, int[] labels) {}

  /** The prompt of a record, which ends where the response is to follow. */
  public int[] prompt(TextRecord record) {
    return template
        .conversation(record)
        .map(conversation -> encoder.encodeBare(prompt(conversation)))
        .orElseGet(() -> encoder.encode(template.prompt(PromptTemplate.instruction(record))));
  }

  /** The prompt and its response, without what ends the response. */
  public int[] text(TextRecord record) {
    return template
        .conversation(record)
        .map(conversation -> encoder.encodeBare(text(conversation)))
        .orElseGet(() -> encoder.encode(template.text(PromptTemplate.instruction(record))));
  }

  /** Whether a record has a response. */
  public boolean hasResponse(TextRecord record) {
    return template
        .conversation(record)
        .map(conversation -> !conversation.response().isEmpty())
        .orElseGet(() -> !PromptTemplate.instruction(record).output().isEmpty());
  }

  /** What ends a response in the chat template; empty if there is none, or it has no such end. */
  public String turnEnd() {
    return template.chat() == null
        ? ""
        : Transcript.turnEnd(template.chat().template(), encoder.controlTokens()).strip();
  }

  /** What there is to learn from a record if the chat template writes it, else empty. */
  Optional<Learned> learned(TextRecord record) {
    return template.conversation(record).map(this::learned);
  }

  private String prompt(Conversation conversation) {
    return template.chat().template().render(conversation.prompt(), conversation, true).text();
  }

  private String text(Conversation conversation) {
    if (!conversation.hasResponse()) {
      return prompt(conversation);
    }
    String prompt = prompt(conversation);
    String whole =
        template.chat().template().render(conversation.messages(), conversation, false).text();
    if (!whole.startsWith(prompt)) {
      return prompt + conversation.response();
    }
    String response = conversation.response().strip();
    int end = whole.indexOf(response, prompt.length());
    return end < 0 ? whole : whole.substring(0, end + response.length());
  }

  private Learned learned(Conversation conversation) {
    Transcript transcript =
        Transcript.of(conversation, template.chat().template(), encoder.controlTokens());
    int[] tokens = encoder.encodeBare(transcript.text());
    int[] labels = new int[tokens.length];
    Arrays.fill(labels, TokenBatch.IGNORED);
    List<Span> spans = transcript.learned();
    for (Span span : spans) {
      int from = before(transcript.text(), span.from(), tokens);
      int to = before(transcript.text(), span.to(), tokens);
      if (to > from) {
        System.arraycopy(tokens, from, labels, from, to - from);
      }
    }
    return new Learned(tokens, labels);
  }

  /** Number of tokens wholly before a position of the text. */
  private int before(String text, int position, int[] tokens) {
    if (position == text.length()) {
      return tokens.length;
    }
    int mismatch = Arrays.mismatch(encoder.encodeBare(text.substring(0, position)), tokens);
    return mismatch < 0 ? tokens.length : mismatch;
  }
}
