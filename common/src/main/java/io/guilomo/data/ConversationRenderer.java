package io.guilomo.data;

import io.guilomo.data.TextRecord.Conversation;
import io.guilomo.data.TextRecord.Message;
import io.guilomo.model.UserException;
import io.guilomo.template.Template;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes a conversation, or parts of it, with a chat template. Its JSON is read once, and all that
 * is written has the same date.
 */
final class ConversationRenderer {

  private final ChatTemplate template;
  private final List<Map<String, Object>> messages;
  private final Object tools;
  private final Clock clock;

  ConversationRenderer(ChatTemplate template, Conversation conversation, Clock clock) {
    this.template = template;
    this.messages = conversation.messages().stream().map(Message::values).toList();
    this.tools = conversation.toolValues();
    this.clock = Clock.fixed(clock.instant(), clock.getZone());
  }

  /** The messages as the template sees them. */
  List<Map<String, Object>> messages() {
    return messages;
  }

  /**
   * @throws UserException with the line of the template that cannot be rendered
   */
  Template.Rendering whole() {
    return render(messages, false);
  }

  /**
   * The first messages, and what the assistant's response to them follows.
   *
   * @throws UserException with the line of the template that cannot be rendered
   */
  String prompt(int count) {
    return render(messages.subList(0, count), true).text();
  }

  /**
   * Messages instead of the conversation's; empty if the template refuses them.
   *
   * @param prompt whether the text ends so that the assistant's response follows
   */
  Optional<String> attempt(List<Map<String, Object>> others, boolean prompt) {
    try {
      return Optional.of(render(others, prompt).text());
    } catch (UserException e) {
      return Optional.empty();
    }
  }

  private Template.Rendering render(List<Map<String, Object>> others, boolean prompt) {
    return template.render(others, tools, prompt, clock);
  }
}
