package io.guilomo.data;

import io.guilomo.data.TextRecord.Conversation;
import io.guilomo.data.TextRecord.Message;
import io.guilomo.model.UserException;
import io.guilomo.template.Template;
import io.guilomo.template.TemplateException;
import java.io.Serializable;
import java.time.Clock;
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
 * <p>{@code strftime_now} in a template gives the date and time at which a record is rendered, in
 * the time zone of the JVM, as in transformers; all of one record is rendered at one time. Only
 * templates that call it, such as Llama 3.2's with the day, depend on it: with them the tokens of
 * training and of prompts, and so the results, differ from day to day.
 *
 * @param source in Jinja, see {@link Template}
 * @param tokens the special tokens that it may name, such as {@code bos_token}
 */
public record ChatTemplate(String source, Map<String, String> tokens) implements Serializable {

  private static final ConcurrentMap<String, Template> PARSED = new ConcurrentHashMap<>();

  /**
   * @throws UserException if it is blank, or with the line that cannot be parsed
   */
  public ChatTemplate {
    if (source.isBlank()) {
      throw new UserException("Cannot use a chat template without text");
    }
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
    List<Map<String, Object>> messages =
        List.of(
            new Message("user", "Hello").values(),
            new Message(Message.ASSISTANT, "Hello").values());
    for (boolean prompt : new boolean[] {false, true}) {
      try {
        attempt(messages, null, prompt, Clock.systemDefaultZone());
      } catch (TemplateException e) {
        if (!e.isRaised()) {
          throw refused(e);
        }
      }
    }
  }

  /** Writes a conversation with this template. */
  ConversationRenderer renderer(Conversation conversation) {
    return renderer(conversation, Clock.systemDefaultZone());
  }

  /**
   * As {@link #renderer(Conversation)}, with another time.
   *
   * @param clock of {@code strftime_now}, read once
   */
  ConversationRenderer renderer(Conversation conversation, Clock clock) {
    return new ConversationRenderer(this, conversation, clock);
  }

  /**
   * The text of messages.
   *
   * @param messages their fields, in order
   * @param tools the functions that the assistant may call; null if there are none
   * @param prompt whether the text ends so that the assistant's response follows
   * @param clock of {@code strftime_now}
   * @throws UserException with the line of the template that cannot be rendered
   */
  Template.Rendering render(
      List<Map<String, Object>> messages, Object tools, boolean prompt, Clock clock) {
    try {
      return attempt(messages, tools, prompt, clock);
    } catch (TemplateException e) {
      throw refused(e);
    }
  }

  private Template.Rendering attempt(
      List<Map<String, Object>> messages, Object tools, boolean prompt, Clock clock) {
    Map<String, Object> variables = new HashMap<>(tokens);
    variables.put("messages", messages);
    variables.put("tools", tools);
    variables.put("documents", null);
    variables.put("add_generation_prompt", prompt);
    return parsed(source).render(variables, clock);
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
