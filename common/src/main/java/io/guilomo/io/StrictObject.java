package io.guilomo.io;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.guilomo.model.UserException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Strict reading of a JSON object: values are checked against bounds, and {@link #end()} refuses
 * keys that have not been read.
 */
public final class StrictObject {
  /** Far above the largest plan in practice. */
  public static final int MAX_CHARACTERS = 64 << 20;

  private static final ObjectReader READER =
      new ObjectMapper()
          .reader()
          .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .with(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  private final String what;
  private final JsonNode node;
  private final Set<String> read = new HashSet<>();

  private StrictObject(String what, JsonNode node) {
    this.what = what;
    this.node = node;
    if (!node.isObject()) {
      throw refused("it must be a JSON object");
    }
  }

  /**
   * Parses a text.
   *
   * @param what description of the text for messages: {@code Cannot read WHAT: …}
   */
  public static StrictObject parse(String what, String text) {
    if (text.length() > MAX_CHARACTERS) {
      throw new UserException(
          "Cannot read %s: it has %d characters, maximum is %d",
          what, text.length(), MAX_CHARACTERS);
    }
    try {
      return new StrictObject(what, READER.readTree(text));
    } catch (JsonProcessingException e) {
      String where = e.getLocation() == null ? "" : " at line " + e.getLocation().getLineNr();
      throw new UserException("Cannot read " + what + ": " + e.getOriginalMessage() + where, e);
    }
  }

  public boolean has(String key) {
    return node.has(key);
  }

  /** All keys, in their order. */
  public List<String> keys() {
    List<String> keys = new ArrayList<>();
    node.fieldNames().forEachRemaining(keys::add);
    return keys;
  }

  public int integer(String key, int min, int max) {
    return (int) integer(key, required(key), min, max);
  }

  public long integer(String key, long min, long max) {
    return integer(key, required(key), min, max);
  }

  public double number(String key) {
    JsonNode value = required(key);
    if (!value.isNumber()) {
      throw refused(key + " must be a number, not " + value);
    }
    return value.doubleValue();
  }

  public boolean flag(String key, boolean otherwise) {
    if (!has(key)) {
      return otherwise;
    }
    JsonNode value = required(key);
    if (!value.isBoolean()) {
      throw refused(key + " must be true or false, not " + value);
    }
    return value.booleanValue();
  }

  /** A text of at most 256 characters. */
  public String text(String key) {
    return text(key, required(key), 256);
  }

  /** A text of at most {@code maxLength} characters. */
  public String text(String key, int maxLength) {
    return text(key, required(key), maxLength);
  }

  /** A text of at most {@code maxLength} characters, which may be empty or white space. */
  public String anyText(String key, int maxLength) {
    JsonNode value = required(key);
    if (!value.isTextual() || value.textValue().length() > maxLength) {
      throw refused(key + " must be a text of at most " + maxLength + " characters, not " + value);
    }
    return value.textValue();
  }

  /** An array of texts of at most {@code maxLength} characters; empty if the key is missing. */
  public List<String> texts(String key, int maxSize, int maxLength) {
    List<String> values = new ArrayList<>();
    for (JsonNode value : array(key, maxSize)) {
      values.add(text(key + "[" + values.size() + "]", value, maxLength));
    }
    return values;
  }

  private String text(String key, JsonNode value, int maxLength) {
    if (!value.isTextual()
        || value.textValue().isBlank()
        || value.textValue().length() > maxLength) {
      throw refused(key + " must be a text of 1 to " + maxLength + " characters, not " + value);
    }
    return value.textValue();
  }

  /** A value as JSON, for another reader. */
  public String json(String key) {
    return required(key).toString();
  }

  public StrictObject object(String key) {
    return new StrictObject(what + ": " + key, required(key));
  }

  /** An array of integers; empty if the key is missing. */
  public List<Long> integers(String key, long min, long max, int maxSize) {
    List<Long> values = new ArrayList<>();
    for (JsonNode value : array(key, maxSize)) {
      values.add(integer(key + "[" + values.size() + "]", value, min, max));
    }
    return values;
  }

  /** An array of finite numbers; empty if the key is missing. */
  public double[] numbers(String key, int maxSize) {
    List<Double> values = new ArrayList<>();
    for (JsonNode value : array(key, maxSize)) {
      if (!value.isNumber()) {
        throw refused(key + " must have numbers, not " + value);
      }
      values.add(value.doubleValue());
    }
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** An array of objects; empty if the key is missing. */
  public List<StrictObject> objects(String key, int maxSize) {
    List<StrictObject> values = new ArrayList<>();
    for (JsonNode value : array(key, maxSize)) {
      values.add(new StrictObject(what + ": " + key + "[" + values.size() + "]", value));
    }
    return values;
  }

  /** Refuses keys that have not been read. */
  public void end() {
    node.fieldNames()
        .forEachRemaining(
            key -> {
              if (!read.contains(key)) {
                throw refused("unknown key '" + key + "'");
              }
            });
  }

  public UserException refused(String why) {
    return new UserException("Cannot read " + what + ": " + why);
  }

  private JsonNode required(String key) {
    read.add(key);
    JsonNode value = node.get(key);
    if (value == null) {
      throw refused("key '" + key + "' is missing");
    }
    return value;
  }

  private Iterable<JsonNode> array(String key, int maxSize) {
    if (!has(key)) {
      return List.of();
    }
    JsonNode values = required(key);
    if (!values.isArray()) {
      throw refused(key + " must be an array");
    }
    if (values.size() > maxSize) {
      throw refused(key + " has " + values.size() + " entries, maximum is " + maxSize);
    }
    return values;
  }

  private long integer(String key, JsonNode value, long min, long max) {
    if (!value.isIntegralNumber()
        || !value.canConvertToLong()
        || value.longValue() < min
        || value.longValue() > max) {
      throw refused(key + " must be an integer from " + min + " to " + max + ", not " + value);
    }
    return value.longValue();
  }
}
