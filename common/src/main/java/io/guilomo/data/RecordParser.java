package io.guilomo.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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
 * A field that is absent, null or NaN counts as missing, and its next alternative name is tried.
 * Missing labels are none, and a missing or blank second text makes a record a single sentence, in
 * whatever format they come.
 *
 * @param columns column names by field, for columns with unusual names: {@code sentence} to {@code
 *     _c3}, for example, or to {@code title|text}, of which a record has one
 */
public record RecordParser(Task task, Map<String, String> columns) implements Serializable {

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          // Python writes NaN where a value is missing.
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  private static final Pattern DUPLICATE = Pattern.compile("Duplicate field '(.*?)' for .*");

  /** Fields that only training and scoring need. */
  private static final Set<String> TARGETS = Set.of("label", "output", "answer");

  /** Fields that a message names. */
  private static final int NAMED = 20;

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
    for (String field : columns.keySet()) {
      if ((target || !TARGETS.contains(field)) && !has(field, present)) {
        throw missing(source, columns.get(field), present);
      }
    }
    for (String field : fields(task).keySet()) {
      requireSingle(source, names(field), present);
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

  private static void requireSingle(String source, List<String> names, Set<String> present) {
    for (String name : names) {
      List<String> same = present.stream().filter(name::equalsIgnoreCase).toList();
      if (same.size() > 1) {
        throw new UserException(
            "Cannot read %s: two columns are called %s: %s; rename one",
            source, name, Listing.of(same, NAMED));
      }
    }
  }

  /** Whether a field may be read from a column of this name. */
  public boolean reads(String column) {
    return fields(task).keySet().stream()
        .flatMap(field -> names(field).stream())
        .anyMatch(name -> name.equals(column) || name.startsWith(column + "."));
  }

  /** Whether a text is one whole JSON object. */
  public static boolean isObject(String text) {
    try {
      return JSON.readTree(text).isObject();
    } catch (JsonProcessingException e) {
      return false;
    }
  }

  private List<String> instruction(Set<String> present) {
    if (task == Task.CAUSAL_LM) {
      if (has("messages", present)) {
        return List.of("messages");
      }
      if (has("prompt", present) && !has("instruction", present)) {
        return List.of("prompt", "completion");
      }
    }
    // An answer is enough to score by.
    boolean answered = !has("output", present) && has("answer", present);
    return List.of("instruction", answered ? "answer" : "output");
  }

  /**
   * A record to predict: its label, output or answer may be missing.
   *
   * @throws UserException if the text is not such a record, with the reason
   */
  public TextRecord parse(String json) {
    return parse(json, false);
  }

  /**
   * @param target whether the record is for training or scoring, so that its label, output or
   *     answer is required as well
   * @throws UserException if the text is not such a record, with the reason
   */
  public TextRecord parse(String json, boolean target) {
    JsonNode node;
    try {
      node = JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new UserException(malformed(e), e);
    }
    if (!node.isObject()) {
      throw new UserException("no JSON object");
    }
    return switch (task) {
      case CAUSAL_LM -> instruction(node, target);
      case MULTIPLE_CHOICE -> question(node, target);
      case CLASSIFICATION -> labelled(node, target);
    };
  }

  /** Why a text is no JSON, on one line without Jackson's own positions. */
  public static String malformed(JsonProcessingException e) {
    String reason = e.getOriginalMessage().lines().findFirst().orElse("");
    Matcher duplicate = DUPLICATE.matcher(reason);
    return duplicate.matches()
        ? "two fields are called " + duplicate.group(1)
        : "malformed JSON: " + reason.replaceFirst("[:;]? \\((start marker|for |Source).*", "");
  }

  private TextRecord instruction(JsonNode node, boolean target) {
    JsonNode instruction = find(node, "instruction");
    if (task == Task.CAUSAL_LM && isMissing(instruction)) {
      JsonNode messages = find(node, "messages");
      JsonNode prompt = find(node, "prompt");
      JsonNode tools = node.path("tools");
      if (!isMissing(messages)) {
        return ConversationParser.ofMessages(messages, tools, orNull(node, "answer", target));
      }
      if (!isMissing(prompt)) {
        return ConversationParser.ofPair(
            prompt, find(node, "completion"), tools, orNull(node, "answer", target));
      }
      if (instruction.isMissingNode() && !(messages.isMissingNode() && prompt.isMissingNode())) {
        String field = messages.isMissingNode() ? "prompt" : "messages";
        throw new UserException("empty " + names(field).get(0));
      }
    }
    JsonNode output = find(node, "output");
    JsonNode answer = find(node, "answer");
    if (target && isMissing(output) && isMissing(answer)) {
      if (output.isMissingNode() && answer.isMissingNode()) {
        throw missing(node, names("output").get(0));
      }
      throw new UserException("missing " + names("output").get(0));
    }
    return new TextRecord.Instruction(
        required(node, "instruction"),
        orEmpty(node, "input", true),
        orEmpty(node, "output", target),
        orNull(node, "answer", target));
  }

  private TextRecord question(JsonNode node, boolean target) {
    JsonNode question = find(node, "question");
    JsonNode choices = find(node, "choices");
    if (question.isObject()) {
      choices = isMissing(choices) ? question.path("choices") : choices;
      question = question.path("stem");
    }
    if (isMissing(choices) && !isMissing(find(node, "instruction"))) {
      return instruction(node, target);
    }
    String stem = text(question, names("question").get(0));
    if (question.isMissingNode() || stem == null || stem.isBlank()) {
      throw missing(node, names("question").get(0));
    }
    JsonNode hint = find(node, "hint");
    String context = hint.isMissingNode() ? null : orEmpty(node, "hint", true);
    return new TextRecord.MultipleChoice(
        context, stem, choices(choices), orNull(node, "answer", target));
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
      String text = text(choice.isObject() ? choice.path("text") : choice, "choice " + (i + 1));
      if (text == null) {
        throw new UserException("choice %d has no text", i + 1);
      }
      choices.add(
          new TextRecord.Choice(
              isMissing(label) ? String.valueOf((char) ('A' + i)) : label.asText(), text));
    }
    return choices;
  }

  private TextRecord labelled(JsonNode node, boolean target) {
    String first = required(node, "sentence");
    if (target && find(node, "label").isMissingNode()) {
      throw missing(node, names("label").get(0));
    }
    String label = orNull(node, "label", target);
    if (label != null && label.equalsIgnoreCase("nan")) {
      label = null;
    }
    if (target && label == null) {
      throw new UserException("missing " + names("label").get(0));
    }
    String second = orEmpty(node, "sentence2", true);
    return second.isBlank()
        ? new TextRecord.Sentence(first, label)
        : new TextRecord.SentencePair(first, second, label);
  }

  private String required(JsonNode node, String field) {
    JsonNode value = find(node, field);
    if (value.isMissingNode()) {
      throw missing(node, names(field).get(0));
    }
    String text = text(value, names(field).get(0));
    if (text == null || text.isBlank()) {
      throw new UserException("empty " + names(field).get(0));
    }
    return text;
  }

  private String orEmpty(JsonNode node, String field, boolean used) {
    JsonNode value = find(node, field);
    String text = used || value.isValueNode() ? text(value, names(field).get(0)) : null;
    return text == null ? "" : text;
  }

  private String orNull(JsonNode node, String field, boolean used) {
    String text = orEmpty(node, field, used);
    return text.isBlank() ? null : text.strip();
  }

  /** The first value of a field; where none of its names has one, the first null or NaN. */
  private JsonNode find(JsonNode node, String field) {
    JsonNode none = MissingNode.getInstance();
    for (String name : names(field)) {
      JsonNode value = node.path(name);
      if (value.isMissingNode() && name.indexOf('.') > 0) {
        value = node.at("/" + name.replace('.', '/'));
      }
      if (!value.isMissingNode()) {
        requireSingle(node, name);
      }
      if (!isMissing(value)) {
        return value;
      }
      none = none.isMissingNode() ? value : none;
    }
    return none;
  }

  /** Refuses fields that differ only by case from one that is read, as tables cannot hold both. */
  private static void requireSingle(JsonNode node, String name) {
    Iterator<String> present = node.fieldNames();
    while (present.hasNext()) {
      String other = present.next();
      if (other.equalsIgnoreCase(name) && !other.equals(name)) {
        throw new UserException("two fields are called %s: %s, %s", name, name, other);
      }
    }
  }

  private boolean has(String field, Set<String> present) {
    return names(field).stream().anyMatch(name -> holds(present, name));
  }

  private static boolean holds(Set<String> present, String name) {
    return present.contains(name) || present.contains(name.split("\\.", 2)[0]);
  }

  private List<String> names(String field) {
    return columns.containsKey(field) ? alternatives(columns.get(field)) : fields(task).get(field);
  }

  /** The names in {@code a|b}, of which a record has the first that it has a value for. */
  public static List<String> alternatives(String columns) {
    return List.of(columns.split("\\|"));
  }

  private static Map<String, List<String>> fields(Task task) {
    return switch (task) {
      case CAUSAL_LM -> INSTRUCTION;
      case MULTIPLE_CHOICE -> CHOICE;
      case CLASSIFICATION -> CLASSIFICATION;
    };
  }

  /** Whether there is no value; tables write a missing one as NaN. */
  static boolean isMissing(JsonNode node) {
    return node.isMissingNode()
        || node.isNull()
        || node.isFloatingPointNumber() && Double.isNaN(node.doubleValue());
  }

  private static String text(JsonNode node, String name) {
    if (node.isContainerNode()) {
      throw new UserException(
          "%s is %s, not a text", name, node.isArray() ? "a list" : "an object");
    }
    return isMissing(node) ? null : node.asText();
  }

  private static UserException missing(JsonNode node, String name) {
    List<String> present = new ArrayList<>();
    node.fieldNames().forEachRemaining(present::add);
    return new UserException("no field %s; fields are %s", name, Listing.of(present, NAMED));
  }

  private static UserException missing(String source, String name, Set<String> present) {
    return new UserException(
        "Cannot read %s: no column %s; columns are %s", source, name, Listing.of(present, NAMED));
  }
}
