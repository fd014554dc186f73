package io.guilomo.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Parses the record of a task from a JSON object. Fields are looked up under the names that the
 * user maps them to, or else under their usual names:
 *
 * <ul>
 *   <li>causal-lm: {@code instruction}, {@code input}, {@code output}, {@code answer}; without an
 *       instruction {@code messages} (or {@code conversations}), or {@code prompt} and {@code
 *       completion}, see {@link ConversationParser}
 *   <li>multiple-choice: {@code question} (a text, or AI2's object of {@code stem} and {@code
 *       choices}), {@code choices} (texts, objects with {@code label} and {@code text}, or an
 *       object with lists of both), {@code answer} (or {@code answerKey}), {@code hint}; without
 *       choices, the fields of causal-lm
 *   <li>classification: {@code sentence} (or {@code sentence1}, {@code text}), {@code sentence2},
 *       {@code label}
 * </ul>
 *
 * @param columns column names by field, for columns with unusual names: {@code sentence} to {@code
 *     _c3}, for example
 */
public record RecordParser(Task task, Map<String, String> columns) implements Serializable {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private static final Map<String, List<String>> INSTRUCTION =
      Map.of(
          "instruction", List.of("instruction"),
          "input", List.of("input"),
          "output", List.of("output"),
          "answer", List.of("answer"),
          "messages", List.of("messages", "conversations"),
          "prompt", List.of("prompt"),
          "completion", List.of("completion"));
  private static final Map<String, List<String>> CHOICE =
      Map.of(
          "question", List.of("question"),
          "choices", List.of("choices"),
          "answer", List.of("answerKey", "answer"),
          "hint", List.of("hint"),
          "instruction", List.of("instruction"),
          "input", List.of("input"),
          "output", List.of("output"));
  private static final Map<String, List<String>> CLASSIFICATION =
      Map.of(
          "sentence", List.of("sentence", "sentence1", "text"),
          "sentence2", List.of("sentence2"),
          "label", List.of("label"));

  public RecordParser {
    for (String field : columns.keySet()) {
      if (!fields(task).containsKey(field)) {
        throw new UserException(
            "Cannot map column %s: %s has %s",
            field, task, fields(task).keySet().stream().sorted().toList());
      }
    }
    columns = Map.copyOf(columns);
  }

  /**
   * Checks that tabular data has the columns that every record needs.
   *
   * @param source path to name in the message
   * @param present names of the top-level columns
   * @param target whether label, output or answer is required as well
   * @throws UserException if a column is missing
   */
  public void checkColumns(String source, Set<String> present, boolean target) {
    for (String column : columns.values()) {
      if (!present.contains(column) && !present.contains(column.split("\\.", 2)[0])) {
        throw missing(source, column, present);
      }
    }
    boolean question =
        task == Task.MULTIPLE_CHOICE && (has("question", present) || !has("instruction", present));
    List<String> needed =
        task == Task.CLASSIFICATION
            ? List.of("sentence", "label")
            : question ? List.of("question", "answer") : instruction(present);
    for (String field : target ? needed : needed.subList(0, 1)) {
      if (!has(field, present)) {
        throw missing(source, names(field).get(0), present);
      }
    }
  }

  private List<String> instruction(Set<String> present) {
    if (task == Task.CAUSAL_LM && !has("instruction", present)) {
      if (has("messages", present)) {
        return List.of("messages");
      }
      if (has("prompt", present)) {
        return List.of("prompt", "completion");
      }
    }
    return List.of("instruction", "output");
  }

  /**
   * @throws UserException if the text is not such a record, with the reason
   */
  public TextRecord parse(String json) {
    JsonNode node;
    try {
      node = JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new UserException(
          "malformed JSON: " + e.getOriginalMessage().lines().findFirst().orElse(""), e);
    }
    if (!node.isObject()) {
      throw new UserException("no JSON object");
    }
    return switch (task) {
      case CAUSAL_LM -> instruction(node);
      case MULTIPLE_CHOICE -> question(node);
      case CLASSIFICATION -> labelled(node);
    };
  }

  private TextRecord instruction(JsonNode node) {
    if (task == Task.CAUSAL_LM && find(node, "instruction").isMissingNode()) {
      JsonNode messages = find(node, "messages");
      JsonNode tools = node.path("tools");
      if (!messages.isMissingNode()) {
        return ConversationParser.ofMessages(messages, tools, orNull(node, "answer"));
      }
      JsonNode prompt = find(node, "prompt");
      if (!prompt.isMissingNode()) {
        return ConversationParser.ofPair(
            prompt, find(node, "completion"), tools, orNull(node, "answer"));
      }
    }
    return new TextRecord.Instruction(
        required(node, "instruction"),
        orEmpty(node, "input"),
        orEmpty(node, "output"),
        orNull(node, "answer"));
  }

  private TextRecord question(JsonNode node) {
    JsonNode question = find(node, "question");
    JsonNode choices = find(node, "choices");
    if (question.isObject()) {
      choices = choices.isMissingNode() ? question.path("choices") : choices;
      question = question.path("stem");
    }
    if (choices.isMissingNode() && !find(node, "instruction").isMissingNode()) {
      return instruction(node);
    }
    String stem = text(question);
    if (stem == null || stem.isBlank()) {
      throw missing(node, names("question").get(0));
    }
    JsonNode hint = find(node, "hint");
    String context = hint.isMissingNode() ? null : hint.isNull() ? "" : text(hint);
    return new TextRecord.MultipleChoice(context, stem, choices(choices), orNull(node, "answer"));
  }

  private static List<TextRecord.Choice> choices(JsonNode node) {
    List<TextRecord.Choice> choices = new ArrayList<>();
    boolean lists = node.isObject();
    JsonNode texts = lists ? node.path("text") : node;
    if (!texts.isArray()) {
      throw new UserException("no list of choices");
    }
    for (int i = 0; i < texts.size(); i++) {
      JsonNode choice = texts.get(i);
      JsonNode label = lists ? node.path("label").path(i) : choice.path("label");
      String text = text(choice.isObject() ? choice.path("text") : choice);
      if (text == null) {
        throw new UserException("choice %d has no text", i + 1);
      }
      choices.add(
          new TextRecord.Choice(
              label.isMissingNode() ? String.valueOf((char) ('A' + i)) : label.asText(), text));
    }
    return choices;
  }

  private TextRecord labelled(JsonNode node) {
    String first = required(node, "sentence");
    JsonNode second = find(node, "sentence2");
    String label = orNull(node, "label");
    if (second.isMissingNode()) {
      return new TextRecord.Sentence(first, label);
    }
    return new TextRecord.SentencePair(first, required(node, "sentence2"), label);
  }

  private String required(JsonNode node, String field) {
    JsonNode value = find(node, field);
    if (value.isMissingNode()) {
      throw missing(node, names(field).get(0));
    }
    String text = text(value);
    if (text == null || text.isBlank()) {
      throw new UserException("empty " + names(field).get(0));
    }
    return text;
  }

  private String orEmpty(JsonNode node, String field) {
    String text = text(find(node, field));
    return text == null ? "" : text;
  }

  private String orNull(JsonNode node, String field) {
    String text = text(find(node, field));
    return text == null || text.isBlank() ? null : text.strip();
  }

  private JsonNode find(JsonNode node, String field) {
    for (String name : names(field)) {
      JsonNode value = node.path(name);
      if (value.isMissingNode() && name.indexOf('.') > 0) {
        value = node.at("/" + name.replace('.', '/'));
      }
      if (!value.isMissingNode()) {
        return value;
      }
    }
    return MissingNode.getInstance();
  }

  private boolean has(String field, Set<String> present) {
    return columns.containsKey(field) || names(field).stream().anyMatch(present::contains);
  }

  private List<String> names(String field) {
    return columns.containsKey(field) ? List.of(columns.get(field)) : fields(task).get(field);
  }

  private static Map<String, List<String>> fields(Task task) {
    return switch (task) {
      case CAUSAL_LM -> INSTRUCTION;
      case MULTIPLE_CHOICE -> CHOICE;
      case CLASSIFICATION -> CLASSIFICATION;
    };
  }

  private static String text(JsonNode node) {
    return node.isValueNode() && !node.isNull() ? node.asText() : null;
  }

  private static UserException missing(JsonNode node, String name) {
    List<String> present = new ArrayList<>();
    node.fieldNames().forEachRemaining(present::add);
    return new UserException("no field %s; fields are %s", name, String.join(", ", present));
  }

  private static UserException missing(String source, String name, Set<String> present) {
    return new UserException(
        "Cannot read %s: no column %s; columns are %s", source, name, String.join(", ", present));
  }
}
