package io.guilomo.data;

import io.guilomo.data.TextRecord.Conversation;
import io.guilomo.template.Template.Span;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Converts records to the token ids of prompts and responses. The text of a chat template has its
 * special tokens in it, so the tokenizer adds none.
 */
public final class PromptEncoder {

  private final TextEncoder encoder;
  private final PromptTemplate template;
  private final ControlTokens control;
  private final Clock clock;

  /** Null without a chat template. */
  private final TurnEnd turnEnd;

  /**
   * A conversation to learn from.
   *
   * @param labels {@link TokenBatch#IGNORED} except for what the assistant says
   */
  record Learned(int[] tokens, int[] labels) {}

  public PromptEncoder(TextEncoder encoder, PromptTemplate template) {
    this(encoder, template, Clock.systemDefaultZone());
  }

  /**
   * @param clock of what a chat template writes
   */
  public PromptEncoder(TextEncoder encoder, PromptTemplate template, Clock clock) {
    this.encoder = encoder;
    this.template = template;
    this.control = new ControlTokens(encoder.controlTokens());
    this.clock = clock;
    this.turnEnd = template.chat() == null ? null : TurnEnd.of(template.chat().template(), control);
  }

  private PromptEncoder(PromptEncoder other, Clock clock) {
    this.encoder = other.encoder;
    this.template = other.template;
    this.control = other.control;
    this.clock = clock;
    this.turnEnd = other.turnEnd;
  }

  /** The same for texts that are compared: a chat template writes one time into all of them. */
  public PromptEncoder atOneTime() {
    return new PromptEncoder(this, Clock.fixed(clock.instant(), clock.getZone()));
  }

  /** Whether a record is written with the chat template. */
  public boolean isChat(TextRecord record) {
    return template.conversation(record).isPresent();
  }

  /**
   * The prompt of a record, which ends where the response is to follow: without what the tokenizer
   * puts behind a text.
   */
  public int[] prompt(TextRecord record) {
    return template
        .conversation(record)
        .map(conversation -> encoder.encodeBare(prompt(conversation)))
        .orElseGet(() -> open(template.prompt(PromptTemplate.instruction(record))));
  }

  /** The prompt and its response, without what ends the response or the sequence. */
  public int[] text(TextRecord record) {
    return template
        .conversation(record)
        .map(conversation -> encoder.encodeBare(text(conversation)))
        .orElseGet(() -> open(template.text(PromptTemplate.instruction(record))));
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
    return turnEnd == null ? "" : turnEnd.text().strip();
  }

  /** What there is to learn from a record if the chat template writes it, else empty. */
  Optional<Learned> learned(TextRecord record) {
    return template.conversation(record).map(this::learned);
  }

  private ConversationRenderer renderer(Conversation conversation) {
    return template.chat().template().renderer(conversation, clock);
  }

  private int[] open(String text) {
    return encoder.frame(false).open(encoder.encode(text));
  }

  private String prompt(Conversation conversation) {
    return renderer(conversation).prompt(conversation.prompt().size());
  }

  private String text(Conversation conversation) {
    ConversationRenderer renderer = renderer(conversation);
    int number = conversation.prompt().size();
    String prompt = renderer.prompt(number);
    if (!conversation.hasResponse()) {
      return prompt;
    }
    String whole = renderer.whole().text();
    if (!whole.startsWith(prompt)) {
      return prompt + conversation.response();
    }
    int end =
        TurnMarks.find(renderer, List.of(number), whole)
            .map(marks -> marks.turns().get(0).content())
            .filter(content -> content >= prompt.length())
            .orElseGet(() -> end(conversation.response().strip(), whole, prompt.length()));
    return prompt + whole.substring(prompt.length(), end).stripTrailing();
  }

  /** Where a response ends, or else what the template writes instead of it. */
  private int end(String response, String whole, int from) {
    int turn = turnEnd().isEmpty() ? -1 : whole.lastIndexOf(turnEnd());
    int most = turn < from ? whole.length() : turn;
    int found = whole.lastIndexOf(response, most - response.length());
    return found < from ? most : found + response.length();
  }

  private Learned learned(Conversation conversation) {
    Transcript transcript = Transcript.of(conversation, template.chat().template(), turnEnd);
    int[] tokens = encoder.encodeBare(transcript.text());
    TokenPositions positions = new TokenPositions(encoder, control, transcript.text(), tokens);
    int[] labels = new int[tokens.length];
    Arrays.fill(labels, TokenBatch.IGNORED);
    for (Span span : transcript.learned()) {
      int from = positions.before(span.from());
      int to = positions.before(span.to());
      if (to > from) {
        System.arraycopy(tokens, from, labels, from, to - from);
      }
    }
    return new Learned(tokens, labels);
  }
}
