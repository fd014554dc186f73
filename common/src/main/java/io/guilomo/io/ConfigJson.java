package io.guilomo.io;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.model.UserException;
import java.util.ArrayList;
import java.util.List;

/**
 * Typed access to the keys of a Hugging Face {@code config.json}; a null value counts as a missing
 * key.
 */
public record ConfigJson(JsonNode root, Object file) {

  public boolean has(String key) {
    return root.hasNonNull(key);
  }

  public ConfigJson child(String key) {
    if (!root.get(key).isObject()) {
      throw refuse("%s is %s, expected an object".formatted(key, root.get(key)));
    }
    return new ConfigJson(root.get(key), file);
  }

  public int positive(String key) {
    JsonNode value = required(key);
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() <= 0) {
      throw refuse("%s is %s, expected a positive integer".formatted(key, value));
    }
    return value.intValue();
  }

  public int positive(String key, int otherwise) {
    return has(key) ? positive(key) : otherwise;
  }

  /** An integer that is not negative. */
  public int natural(String key, int otherwise) {
    if (!has(key)) {
      return otherwise;
    }
    JsonNode value = root.get(key);
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 0) {
      throw refuse("%s is %s, expected an integer of at least 0".formatted(key, value));
    }
    return value.intValue();
  }

  public double positiveNumber(String key) {
    JsonNode value = required(key);
    if (!value.isNumber() || !(value.doubleValue() > 0) || Double.isInfinite(value.doubleValue())) {
      throw refuse("%s is %s, expected a positive number".formatted(key, value));
    }
    return value.doubleValue();
  }

  public double positiveNumber(String key, double otherwise) {
    return has(key) ? positiveNumber(key) : otherwise;
  }

  /** An array of positive numbers. */
  public List<Double> positiveNumbers(String key) {
    JsonNode values = required(key);
    List<Double> numbers = new ArrayList<>();
    for (JsonNode value : values) {
      if (!value.isNumber() || !(value.doubleValue() > 0)) {
        throw refuse("%s has %s, expected positive numbers".formatted(key, value));
      }
      numbers.add(value.doubleValue());
    }
    if (!values.isArray()) {
      throw refuse("%s is %s, expected an array of numbers".formatted(key, values));
    }
    return numbers;
  }

  /** An array of texts. */
  public List<String> texts(String key) {
    JsonNode values = required(key);
    List<String> texts = new ArrayList<>();
    for (JsonNode value : values) {
      if (!value.isTextual()) {
        throw refuse("%s has %s, expected texts".formatted(key, value));
      }
      texts.add(value.textValue());
    }
    if (!values.isArray()) {
      throw refuse("%s is %s, expected an array of texts".formatted(key, values));
    }
    return texts;
  }

  public boolean flag(String key, boolean otherwise) {
    if (!has(key)) {
      return otherwise;
    }
    if (!root.get(key).isBoolean()) {
      throw refuse("%s is %s, expected true or false".formatted(key, root.get(key)));
    }
    return root.get(key).booleanValue();
  }

  public String text(String key, String otherwise) {
    return has(key) ? root.get(key).asText() : otherwise;
  }

  /** Refuses any value but {@code only}; a missing key counts as {@code only}. */
  public void requireText(String key, String only) {
    if (!text(key, only).equals(only)) {
      throw refuse("%s is %s, supported is %s".formatted(key, text(key, only), only));
    }
  }

  public void requireFalse(String key) {
    if (flag(key, false)) {
      throw refuse("%s is true, which is not supported".formatted(key));
    }
  }

  /** A missing key counts as true. */
  public void requireTrue(String key) {
    if (!flag(key, true)) {
      throw refuse("%s is false, which is not supported".formatted(key));
    }
  }

  private JsonNode required(String key) {
    if (!has(key)) {
      throw refuse("%s is missing".formatted(key));
    }
    return root.get(key);
  }

  public UserException refuse(String reason) {
    return SafetensorsHeader.refuse(file, reason);
  }
}
