package io.guilomo.data;

import io.guilomo.data.TextRecord.Conversation;
import io.guilomo.data.TextRecord.Message;
import io.guilomo.model.UserException;
import io.guilomo.template.Template;
import io.guilomo.template.TemplateException;
import java.io.Serializable;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * A model's own template for conversations: what Hugging Face calls its {@code chat_template}.
 *
 * @param source in Jinja, see {@link Template}
 * @param tokens the special tokens that it may name, such as {@code bos_token}
 */
public record ChatTemplate(String source, Map<String, String> tokens) implements Serializable {

  private static final ConcurrentMap<String, Template> PARSED = new ConcurrentHashMap<>();

  /**
   * @throws UserException with the line of the template that cannot be parsed
   */
  public ChatTemplate {
    tokens = Collections.unmodifiableMap(new TreeMap<>(tokens));
    parsed(source);
  }

  /**
   * Renders a plain conversation, so that what can never be rendered is refused before any data is
   * read. A template may refuse this conversation for reasons of its own.
   *
   * @throws UserException with the line of the template that cannot be rendered
   */
  public void check() {
    Conversation conversation =
        new Conversation(
            List.of(new Message("user", "Hello"), new Message("assistant", "Hello")), null, null);
    for (boolean prompt : new boolean[] {false, true}) {
      try {
        attempt(conversation.messages(), conversation, prompt);
      } catch (TemplateException e) {
        if (!e.isRaised()) {
          throw refused(e);
        }
      }
    }
  }

  /**
   * The text of messages.
   *
   * @param messages some of the conversation's, in their order
   * @param prompt whether the text ends so that the assistant's response follows
   * @throws UserException with the line of the template that cannot be rendered
   */
  Template.Rendering render(List<Message> messages, Conversation conversation, boolean prompt) {
    try {
      return attempt(messages, conversation, prompt);
    } catch (TemplateException e) {
      throw refused(e);
    }
  }

  private Template.Rendering attempt(
      List<Message> messages, Conversation conversation, boolean prompt) {
    Map<String, Object> variables = new HashMap<>(tokens);
    List<Object> values = new ArrayList<>();
    messages.forEach(message -> values.add(message.values()));
    variables.put("messages", values);
    variables.put("tools", conversation.toolValues());
    variables.put("documents", null);
    variables.put("add_generation_prompt", prompt);
    return parsed(source).render(variables, Clock.systemDefaultZone());
  }

  /** Whether the template itself marks what the assistant says. */
  boolean marksGenerated() {
    return parsed(source).marksGenerated();
  }

  private static Template parsed(String source) {
    try {
      return PARSED.computeIfAbsent(source, Template::parse);
    } catch (TemplateException e) {
      throw refused(e);
    }
  }

  private static UserException refused(TemplateException e) {
    String where = e.line() > 0 ? ", line " + e.line() : "";
    return new UserException(
        "Cannot render the chat template%s: %s%s",
        where, e.isRaised() ? "it says: " : "", e.getMessage());
  }
}
