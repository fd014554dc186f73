package io.guilomo.data;

import io.guilomo.data.TextRecord.Conversation;
import io.guilomo.data.TextRecord.Message;
import io.guilomo.model.UserException;
import io.guilomo.template.Template;
import io.guilomo.template.Template.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A conversation as a chat template writes it, and what the assistant says in it: contents, calls
 * of functions, thoughts that the template shows, and what ends each turn.
 *
 * <p>A template that marks this with <code>{% generation %}</code> is believed. Of any other,
 * {@link TurnMarks} tell where messages end, whatever the template trims, drops or inserts, and
 * prompts that end before a message tell where it begins. A conversation of which neither tells is
 * refused: nothing is learned that the assistant has not said.
 *
 * @param learned what the assistant says, in order, without overlaps
 */
record Transcript(String text, List<Span> learned) {

  /**
   * @throws UserException if the conversation cannot be rendered, the assistant says nothing, or
   *     what it says cannot be found in the text
   */
  static Transcript of(Conversation conversation, ChatTemplate template, TurnEnd turnEnd) {
    List<Message> messages = conversation.messages();
    List<Integer> numbers =
        IntStream.range(0, messages.size())
            .filter(number -> messages.get(number).isAssistant())
            .boxed()
            .toList();
    if (numbers.isEmpty()) {
      throw new UserException("Cannot learn from a conversation in which the assistant is silent");
    }
    ConversationRenderer renderer = template.renderer(conversation);
    Template.Rendering whole = renderer.whole();
    if (template.marksGenerated() && !whole.generated().isEmpty()) {
      return new Transcript(whole.text(), whole.generated());
    }
    TurnMarks marks =
        TurnMarks.find(renderer, numbers, whole.text())
            .orElseThrow(
                () ->
                    new UserException(
                        "Cannot learn from a conversation: the chat template does not write what the"
                            + " assistant says as it is"));
    List<Span> learned = new ArrayList<>();
    int last = 0;
    for (int i = 0; i < numbers.size(); i++) {
      int number = numbers.get(i);
      TurnMarks.Turn turn = marks.turns().get(i);
      int from =
          begin(renderer, number, whole.text(), last, turn, turnEnd.control())
              .orElseThrow(() -> unknown("begins", number));
      last =
          turn.calls()
              ? callsEnd(marks, i, whole.text(), turnEnd).orElseThrow(() -> unknown("ends", number))
              : turnEnd.after(whole.text(), turn.last());
      learned.add(new Span(from, last));
    }
    return new Transcript(whole.text(), learned);
  }

  private static UserException unknown(String does, int number) {
    return new UserException(
        "Cannot learn from a conversation: cannot tell where message %d %s in what the chat template"
            + " writes",
        number + 1, does);
  }

  /**
   * Where a message of the assistant begins.
   *
   * @param from where the one before it ends
   */
  private static Optional<Integer> begin(
      ConversationRenderer renderer,
      int number,
      String whole,
      int from,
      TurnMarks.Turn turn,
      ControlTokens control) {
    List<Map<String, Object>> asked = renderer.messages().subList(0, number);
    // A template may refuse to begin with the assistant, or to end with the system.
    Optional<String> prompt = renderer.attempt(asked, true);
    return prompt
        .map(text -> TurnEnd.common(whole, 0, text) == text.length() ? text.length() : -1)
        .filter(begin -> begin >= from && begin <= turn.first())
        .or(
            () ->
                prompt.flatMap(
                    text -> header(text, renderer.attempt(asked, false), whole, control)))
        .filter(begin -> begin >= from && begin <= turn.first())
        .or(() -> prompt.flatMap(text -> repeated(text, asked, whole, turn.first())))
        .filter(begin -> begin >= from && begin <= turn.first())
        .or(() -> content(renderer.messages().get(number), whole, from, turn.content()));
  }

  /**
   * Where the header of a message ends if the prompt says more than it, such as the beginning of a
   * thought.
   *
   * @param closed the prompt's messages without what asks for a response
   */
  private static Optional<Integer> header(
      String prompt, Optional<String> closed, String whole, ControlTokens control) {
    if (closed.isEmpty() || !prompt.startsWith(closed.get()) || !whole.startsWith(closed.get())) {
      return Optional.empty();
    }
    int least = closed.get().length();
    int shared = TurnEnd.common(whole, 0, prompt);
    // What follows the header may begin as what the prompt adds does.
    int token = control.last(whole, least, shared);
    int line = whole.lastIndexOf('\n', shared - 1) + 1;
    int end = token < 0 ? line : Math.max(line, token + control.lengthAt(whole, token));
    return end > least ? Optional.of(end) : Optional.empty();
  }

  /**
   * Where the prompt's last message and what follows it end in the whole, if that differs from the
   * prompt only before: templates move what the system says, for example.
   */
  private static Optional<Integer> repeated(
      String prompt, List<Map<String, Object>> asked, String whole, int most) {
    if (asked.isEmpty()) {
      return Optional.empty();
    }
    String content = ((String) asked.get(asked.size() - 1).get("content")).strip();
    int at = content.isEmpty() ? -1 : prompt.lastIndexOf(content);
    if (at < 0) {
      return Optional.empty();
    }
    String end = prompt.substring(at);
    int found = whole.lastIndexOf(end, most - end.length());
    return found < 0 ? Optional.empty() : Optional.of(found + end.length());
  }

  /** Where so much of the content begins as the template writes at its end. */
  private static Optional<Integer> content(
      Map<String, Object> message, String whole, int from, int end) {
    String content = ((String) message.get("content")).strip();
    int begin = Math.max(from, end);
    while (begin > from && Character.isWhitespace(whole.charAt(begin - 1))) {
      begin--;
    }
    int left = content.length();
    while (begin > from && left > 0 && whole.charAt(begin - 1) == content.charAt(left - 1)) {
      begin--;
      left--;
    }
    while (left < content.length() && Character.isWhitespace(content.charAt(left))) {
      begin++;
      left++;
    }
    return left == content.length() ? Optional.empty() : Optional.of(begin);
  }

  /**
   * Where a turn with calls of functions ends: in what the template writes after the last mark
   * whether or not it goes on.
   */
  private static Optional<Integer> callsEnd(
      TurnMarks marks, int turn, String whole, TurnEnd turnEnd) {
    int from = marks.turns().get(turn).last();
    int to = -1;
    for (boolean prompt : new boolean[] {false, true}) {
      Optional<String> tail = marks.tail(turn, prompt);
      if (tail.isPresent()) {
        int end = from + TurnEnd.common(whole, from, tail.get());
        to = to < 0 ? end : Math.min(to, end);
      }
    }
    return to < 0 ? Optional.empty() : Optional.of(turnEnd.within(whole, from, to));
  }
}
