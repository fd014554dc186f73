package io.guilomo.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.data.TextRecord.Conversation;
import io.guilomo.data.TextRecord.Message;
import io.guilomo.model.UserException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Parses conversations: a list of messages, each with {@code role} and {@code content}, or as
 * ShareGPT has them with {@code from} and {@code value}; or a prompt and its completion, both texts
 * or such lists.
 */
final class ConversationParser {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  /** ShareGPT's names of those who speak. */
  private static final Map<String, String> ROLES =
      Map.of("human", "user", "gpt", "assistant", "chatgpt", "assistant", "bot", "assistant");

  private static final Set<String> OWN = Set.of("role", "content", "from", "value");

  private ConversationParser() {}

  /**
   * @param tools a list or a single one; missing, null or empty if there are none
   * @param answer null if unknown
   * @throws UserException that says what is wrong with which message
   */
  static Conversation ofMessages(JsonNode messages, JsonNode tools, String answer) {
    return new Conversation(messages(messages), tools(tools), answer);
  }

  /**
   * @param completion missing, null or empty if it is to be predicted
   */
  static Conversation ofPair(JsonNode prompt, JsonNode completion, JsonNode tools, String answer) {
    List<Message> messages = new ArrayList<>(side(prompt, "user", "prompt"));
    if (!isEmpty(completion)) {
      messages.addAll(side(completion, Message.ASSISTANT, "completion"));
    }
    return new Conversation(messages, tools(tools), answer);
  }

  private static List<Message> side(JsonNode node, String role, String name) {
    if (!node.isTextual()) {
      return messages(node);
    }
    JsonNode list = nested(node);
    if (isMessages(list)) {
      return messages(list);
    }
    if (node.textValue().isBlank()) {
      throw new UserException("empty " + name);
    }
    return List.of(new Message(role, node.textValue()));
  }

  /** Whether this can only be messages; a text may be any other JSON. */
  private static boolean isMessages(JsonNode node) {
    boolean messages = node.isArray() && !node.isEmpty();
    for (JsonNode message : node) {
      messages &= role(message).isTextual();
    }
    return messages;
  }

  private static List<Message> messages(JsonNode given) {
    JsonNode node = given.isTextual() ? nested(given) : given;
    if (!node.isArray()) {
      throw new UserException("no list of messages");
    }
    if (node.isEmpty()) {
      throw new UserException("no messages");
    }
    List<Message> messages = new ArrayList<>();
    for (JsonNode message : node) {
      messages.add(message(message, messages.size() + 1));
    }
    return messages;
  }

  /** A column of text may hold the list as JSON; returns the node itself if it does not. */
  private static JsonNode nested(JsonNode text) {
    if (!text.textValue().stripLeading().startsWith("[")) {
      return text;
    }
    try {
      return JSON.readTree(text.textValue());
    } catch (JsonProcessingException e) {
      return text;
    }
  }

  private static JsonNode role(JsonNode message) {
    return message.path(message.has("role") ? "role" : "from");
  }

  private static Message message(JsonNode message, int number) {
    if (!message.isObject()) {
      throw new UserException("message %d is no object", number);
    }
    JsonNode role = role(message);
    if (!role.isTextual() || role.textValue().isBlank()) {
      throw new UserException("message %d has no role", number);
    }
    ObjectNode others = JSON.createObjectNode();
    message
        .fields()
        .forEachRemaining(
            field -> {
              if (!OWN.contains(field.getKey()) && !field.getValue().isNull()) {
                others.set(field.getKey(), field.getValue());
              }
            });
    JsonNode content = message.path(message.has("content") ? "content" : "value");
    return new Message(
        ROLES.getOrDefault(role.textValue(), role.textValue()),
        content(content, number, !others.isEmpty()),
        others.isEmpty() ? null : others.toString());
  }

  private static String content(JsonNode content, int number, boolean mayBeAbsent) {
    if (content.isValueNode() && !isAbsent(content)) {
      return content.asText();
    }
    if (content.isArray()) {
      StringBuilder text = new StringBuilder();
      for (JsonNode part : content) {
        if (!part.path("text").isTextual()) {
          throw new UserException(
              "message %d has content of type %s: expected text",
              number, part.path("type").asText("unknown"));
        }
        text.append(part.path("text").textValue());
      }
      return text.toString();
    }
    if (!mayBeAbsent) {
      throw new UserException("message %d has no content", number);
    }
    return "";
  }

  /**
   * A list of functions, or a single one, as they are or as the JSON that a column of text holds.
   */
  private static String tools(JsonNode given) {
    JsonNode tools = given;
    if (given.isTextual()) {
      try {
        // A blank text is a missing node.
        tools = JSON.readTree(given.textValue());
      } catch (JsonProcessingException e) {
        throw new UserException("tools are no JSON");
      }
    }
    if (RecordParser.isMissing(tools) || tools.isContainerNode() && tools.isEmpty()) {
      return null;
    }
    if (!tools.isContainerNode()) {
      throw new UserException("tools are no list of functions");
    }
    return (tools.isArray() ? tools : JSON.createArrayNode().add(tools)).toString();
  }

  private static boolean isEmpty(JsonNode node) {
    return isAbsent(node)
        || node.isArray() && node.isEmpty()
        || node.isTextual() && node.textValue().isBlank();
  }

  private static boolean isAbsent(JsonNode node) {
    return node.isMissingNode() || node.isNull();
  }
}
