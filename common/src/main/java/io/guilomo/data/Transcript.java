package io.guilomo.data;

import io.guilomo.data.TextRecord.Conversation;
import io.guilomo.data.TextRecord.Message;
import io.guilomo.model.UserException;
import io.guilomo.template.Template;
import io.guilomo.template.Template.Span;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * A conversation as a chat template writes it, and what the assistant says in it.
 *
 * <p>A template that marks this with <code>{% generation %}</code> is believed. Of any other, a
 * second rendering, in which a character that no text uses follows each message of the assistant,
 * tells where the messages end, whatever the template trims, drops or inserts. A message begins
 * where the prompt for it ends, which may be rendered, or if the conversation does not begin with
 * that prompt, where its content does. It includes the text that ends a turn.
 *
 * @param learned what the assistant says, in order, without overlaps
 */
record Transcript(String text, List<Span> learned) {

  /** The first of the characters that mark the ends of messages: for private use in Unicode. */
  private static final char MARK = '\ue000';

  private static final int MARKS = 6400;

  /**
   * @param control the tokenizer's special tokens as texts
   * @throws UserException if the conversation cannot be rendered or the assistant says nothing
   */
  static Transcript of(
      Conversation conversation, ChatTemplate template, Collection<String> control) {
    List<Integer> turns = turns(conversation.messages());
    if (turns.isEmpty()) {
      throw new UserException("Cannot learn from a conversation in which the assistant is silent");
    }
    Template.Rendering whole = template.render(conversation.messages(), conversation, false);
    if (template.marksGenerated() && !whole.generated().isEmpty()) {
      return new Transcript(whole.text(), whole.generated());
    }
    String turnEnd = turnEnd(template, control);
    int[] ends = ends(conversation, turns, template, whole.text());
    List<Span> learned = new ArrayList<>();
    int last = 0;
    for (int i = 0; i < ends.length; i++) {
      int from = begin(conversation, turns.get(i), template, whole.text(), last, ends[i]);
      last = withEnd(whole.text(), ends[i], turnEnd, control);
      learned.add(new Span(from, last));
    }
    return new Transcript(whole.text(), learned);
  }

  private static List<Integer> turns(List<Message> messages) {
    List<Integer> turns = new ArrayList<>();
    for (int i = 0; i < messages.size(); i++) {
      if (messages.get(i).isAssistant()) {
        turns.add(i);
      }
    }
    return turns;
  }

  /** Where the content of each of the assistant's messages ends. */
  private static int[] ends(
      Conversation conversation, List<Integer> turns, ChatTemplate template, String whole) {
    for (boolean stripped : new boolean[] {false, true}) {
      int[] ends = marked(conversation, turns, template, whole, stripped);
      if (ends != null) {
        return ends;
      }
    }
    int[] ends = new int[turns.size()];
    int from = 0;
    for (int i = 0; i < ends.length; i++) {
      String content = conversation.messages().get(turns.get(i)).content().strip();
      int at = whole.indexOf(content, from);
      if (at < 0) {
        throw new UserException(
            "Cannot learn from a conversation: the chat template does not write message %d as it is",
            turns.get(i) + 1);
      }
      from = ends[i] = at + content.length();
    }
    return ends;
  }

  /**
   * The same by marks.
   *
   * @param stripped whether to remove white space before the marks, for a template that would
   * @return null if the marks change what the template writes
   */
  private static int[] marked(
      Conversation conversation,
      List<Integer> turns,
      ChatTemplate template,
      String whole,
      boolean stripped) {
    List<Message> messages = new ArrayList<>(conversation.messages());
    for (int i = 0; i < turns.size() && i < MARKS; i++) {
      Message message = messages.get(turns.get(i));
      String content = stripped ? message.content().stripTrailing() : message.content();
      messages.set(turns.get(i), message.with(content + (char) (MARK + i)));
    }
    String marked;
    try {
      marked = template.render(messages, conversation, false).text();
    } catch (UserException e) {
      return null;
    }
    int[] ends = new int[turns.size()];
    StringBuilder plain = new StringBuilder();
    int found = 0;
    for (int i = 0; i < marked.length(); i++) {
      if (found < ends.length && marked.charAt(i) == MARK + found) {
        ends[found++] = plain.length();
      } else {
        plain.append(marked.charAt(i));
      }
    }
    return found == ends.length && plain.toString().equals(whole) ? ends : null;
  }

  /**
   * Where a message of the assistant begins.
   *
   * @param from where the one before it ends
   * @param end of its content
   */
  private static int begin(
      Conversation conversation, int turn, ChatTemplate template, String whole, int from, int end) {
    try {
      String prompt =
          template.render(conversation.messages().subList(0, turn), conversation, true).text();
      if (prompt.length() >= from && prompt.length() <= end && whole.startsWith(prompt)) {
        return prompt.length();
      }
    } catch (UserException e) {
      // A template may refuse to begin with the assistant, or to end with the system.
    }
    String content = conversation.messages().get(turn).content().strip();
    int begin = whole.lastIndexOf(content, end - content.length());
    return Math.max(from, begin < 0 ? end : begin);
  }

  private static int withEnd(String text, int end, String turnEnd, Collection<String> control) {
    if (text.startsWith(turnEnd, end)) {
      return end + turnEnd.length();
    }
    int next = end;
    while (next < text.length() && Character.isWhitespace(text.charAt(next))) {
      next++;
    }
    for (String token : control) {
      if (!token.isEmpty() && text.startsWith(token, next)) {
        return next + token.length();
      }
    }
    return end;
  }

  /**
   * What ends a turn of the assistant: the special token that follows its message, or the text that
   * follows it whoever speaks next; empty if there is none.
   */
  static String turnEnd(ChatTemplate template, Collection<String> control) {
    List<Message> probe = List.of(new Message("user", "a"), new Message("assistant", "b" + MARK));
    List<Message> longer = new ArrayList<>(probe);
    longer.add(new Message("user", "c"));
    Conversation conversation = new Conversation(longer, null, null);
    String one;
    String other;
    try {
      one = template.render(probe, conversation, false).text();
      other = template.render(longer, conversation, false).text();
    } catch (UserException e) {
      return "";
    }
    one = one.substring(one.indexOf(MARK) + 1);
    other = other.substring(other.indexOf(MARK) + 1);
    int first = -1;
    int end = 0;
    for (String token : control) {
      int at = token.isEmpty() ? -1 : one.indexOf(token);
      boolean sooner = first < 0 || at < first || at == first && at + token.length() > end;
      if (at >= 0 && sooner && one.substring(0, at).isBlank()) {
        first = at;
        end = at + token.length();
      }
    }
    if (first >= 0) {
      return one.substring(0, end);
    }
    int shared = 0;
    while (shared < Math.min(one.length(), other.length())
        && one.charAt(shared) == other.charAt(shared)) {
      shared++;
    }
    return one.substring(0, shared).stripTrailing();
  }
}
