package io.guilomo.data;

import io.guilomo.data.TextRecord.Conversation;
import io.guilomo.data.TextRecord.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What ends a turn of the assistant in a chat template: the special token that follows a message,
 * or the text that follows it whoever speaks next.
 *
 * @param known empty text if nothing ends a turn; absent if the template does not tell, because it
 *     refuses a plain conversation
 */
record TurnEnd(Optional<String> known, ControlTokens control) {

  /** Stands at the end of the assistant's message: for private use in Unicode. */
  private static final char MARK = '\ue000';

  static TurnEnd of(ChatTemplate template, ControlTokens control) {
    List<Message> messages = new ArrayList<>();
    messages.add(new Message("user", "Question"));
    messages.add(new Message(Message.ASSISTANT, "Answer" + MARK));
    Optional<String> last = render(template, messages);
    messages.add(new Message("user", "Question" + MARK));
    Optional<String> inner = render(template, messages);
    boolean known =
        last.isPresent()
            && inner.isPresent()
            && last.get().indexOf(MARK) >= 0
            && inner.get().indexOf(MARK) >= 0;
    return new TurnEnd(
        known ? Optional.of(of(last.get(), inner.get(), control)) : Optional.empty(), control);
  }

  private static Optional<String> render(ChatTemplate template, List<Message> messages) {
    ConversationRenderer renderer = template.renderer(new Conversation(messages, null, null));
    return renderer.attempt(renderer.messages(), false);
  }

  /**
   * @param ending a conversation that ends with the marked message of the assistant
   * @param ongoing the same with another question, which is marked too
   */
  private static String of(String ending, String ongoing, ControlTokens control) {
    String after = ending.substring(ending.indexOf(MARK) + 1);
    String between = ongoing.substring(ongoing.indexOf(MARK) + 1);
    int token = control.endAfter(after, 0);
    if (token >= 0) {
      return after.substring(0, token);
    }
    String shared = after.substring(0, common(after, 0, between)).stripTrailing();
    return shared.isEmpty() ? separator(ongoing, between, control) : shared;
  }

  /** The special token between a message of the assistant and the beginning of the user's. */
  private static String separator(String ongoing, String between, ControlTokens control) {
    int question = between.indexOf("Question");
    int first = ongoing.indexOf("Question");
    int end = Math.max(question, 0);
    while (end > 0 && first > 0 && between.charAt(end - 1) == ongoing.charAt(first - 1)) {
      end--;
      first--;
    }
    int token = control.endAfter(between.substring(0, end), 0);
    return token < 0 ? "" : between.substring(0, token);
  }

  /** The text; empty if there is none or it is not known. */
  String text() {
    return known.orElse("");
  }

  /** Where a turn ends whose message ends at a position. */
  int after(String text, int position) {
    if (!text().isEmpty() && text.startsWith(text(), position)) {
      return position + text().length();
    }
    if (known.isPresent() && text().isEmpty()) {
      return position;
    }
    int token = control.endAfter(text, position);
    return token < 0 ? position : token;
  }

  /**
   * Where a turn ends in a part of a text that holds nothing but its end, perhaps with the
   * beginning of what follows.
   */
  int within(String text, int from, int to) {
    int known = text().isEmpty() ? -1 : text.indexOf(text(), from);
    if (known >= 0 && known + text().length() <= to) {
      return known + text().length();
    }
    int token = control.last(text, from, to);
    return token < 0
        ? from + text.substring(from, to).stripTrailing().length()
        : token + control.lengthAt(text, token);
  }

  /** How many characters two texts share, of the first from a position on. */
  static int common(String text, int from, String other) {
    int shared = 0;
    while (shared < Math.min(text.length() - from, other.length())
        && text.charAt(from + shared) == other.charAt(shared)) {
      shared++;
    }
    return shared;
  }
}
