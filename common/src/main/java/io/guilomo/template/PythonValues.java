package io.guilomo.template;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What Python's operators and built-in functions do with the values of a template. */
final class PythonValues {

  private PythonValues() {}

  static boolean truth(Object value) {
    if (value instanceof Boolean flag) {
      return flag;
    }
    if (value instanceof Number number) {
      return number.doubleValue() != 0;
    }
    if (value instanceof String text) {
      return !text.isEmpty();
    }
    if (value instanceof Collection<?> list) {
      return !list.isEmpty();
    }
    if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    }
    return value != null && !(value instanceof Undefined);
  }

  static String type(Object value) {
    if (value == null) {
      return "None";
    }
    if (value instanceof String) {
      return "a string";
    }
    if (value instanceof Boolean) {
      return "a boolean";
    }
    if (value instanceof Number) {
      return "a number";
    }
    if (value instanceof List) {
      return "a list";
    }
    if (value instanceof Map) {
      return "a mapping";
    }
    return value instanceof Callable ? "a function" : "an object";
  }

  static boolean isInteger(Object value) {
    return value instanceof Long || value instanceof Boolean;
  }

  static boolean isNumber(Object value) {
    return isInteger(value) || value instanceof Double;
  }

  static long integer(Object value) {
    if (value instanceof Boolean flag) {
      return flag ? 1 : 0;
    }
    if (value instanceof Long number) {
      return number;
    }
    throw mismatch(value, "expected an integer");
  }

  static double number(Object value) {
    return value instanceof Double number ? number : integer(value);
  }

  private static TemplateException mismatch(Object value, String expected) {
    return value instanceof Undefined undefined
        ? undefined.refused()
        : TemplateException.of("%s, found %s", expected, type(value));
  }

  static String string(Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw mismatch(value, "expected a string");
  }

  /** Number of elements, or of characters. */
  static long length(Object value) {
    if (value instanceof Undefined) {
      return 0;
    }
    if (value instanceof String text) {
      return text.codePointCount(0, text.length());
    }
    if (value instanceof Map<?, ?> map) {
      return map.size();
    }
    if (value instanceof List<?> list) {
      return list.size();
    }
    throw TemplateException.of("%s has no length", type(value));
  }

  /** The elements of a list, the keys of a mapping or the characters of a string. */
  static List<Object> elements(Object value) {
    if (value instanceof List<?> list) {
      return new ArrayList<>(list);
    }
    if (value instanceof Map<?, ?> map) {
      return new ArrayList<>(map.keySet());
    }
    if (value instanceof String text) {
      return new ArrayList<>(text.codePoints().mapToObj(Character::toString).toList());
    }
    if (value instanceof Undefined) {
      return new ArrayList<>();
    }
    throw TemplateException.of("cannot iterate over %s", type(value));
  }

  /** {@code value[key]}, or {@code value.key}: undefined if there is none. */
  static Object item(Object value, Object key) {
    if (value instanceof Undefined undefined) {
      throw undefined.refused();
    }
    Object found = null;
    boolean exists = false;
    if (value instanceof Map<?, ?> map) {
      exists = map.containsKey(key);
      found = map.get(key);
    } else if (value instanceof Attributes object) {
      exists = object.values().containsKey(key);
      found = object.values().get(key);
    } else if (isInteger(key) && (value instanceof List || value instanceof String)) {
      long length = length(value);
      long index = integer(key) < 0 ? integer(key) + length : integer(key);
      exists = index >= 0 && index < length;
      found = exists ? at(value, (int) index) : null;
    }
    return exists ? found : new Undefined(type(value) + " has no element " + text(key, null));
  }

  private static Object at(Object value, int index) {
    if (value instanceof List<?> list) {
      return list.get(index);
    }
    String text = (String) value;
    int from = text.offsetByCodePoints(0, index);
    return text.substring(from, text.offsetByCodePoints(from, 1));
  }

  /**
   * {@code value[from:to:step]}.
   *
   * @param from null if absent, like the others
   */
  static Object slice(Object value, Object from, Object to, Object step) {
    if (value instanceof Undefined undefined) {
      throw undefined.refused();
    }
    if (!(value instanceof List) && !(value instanceof String)) {
      throw TemplateException.of("cannot take a part of %s", type(value));
    }
    List<Object> all = elements(value);
    long stride = step == null ? 1 : integer(step);
    if (stride == 0) {
      throw TemplateException.of("the step of a slice is 0");
    }
    boolean forward = stride > 0;
    long least = forward ? 0 : -1;
    long most = forward ? all.size() : all.size() - 1L;
    long start = bound(from, forward ? least : most, least, most, all.size());
    long end = bound(to, forward ? most : least, least, most, all.size());
    List<Object> part = new ArrayList<>();
    for (long i = start; forward ? i < end : i > end; i += stride) {
      part.add(all.get((int) i));
    }
    if (value instanceof String) {
      StringBuilder text = new StringBuilder();
      part.forEach(text::append);
      return text.toString();
    }
    return part;
  }

  private static long bound(Object given, long otherwise, long least, long most, int size) {
    if (given == null) {
      return otherwise;
    }
    long position = integer(given);
    return Math.max(least, Math.min(most, position < 0 ? position + size : position));
  }

  static boolean equal(Object one, Object other, Budget budget) {
    budget.step();
    if (isNumber(one) && isNumber(other)) {
      return isInteger(one) && isInteger(other)
          ? integer(one) == integer(other)
          : number(one) == number(other);
    }
    if (one instanceof List<?> a && other instanceof List<?> b) {
      boolean equal = a.size() == b.size();
      for (int i = 0; equal && i < a.size(); i++) {
        equal = equal(a.get(i), b.get(i), budget);
      }
      return equal;
    }
    if (one instanceof Map<?, ?> a && other instanceof Map<?, ?> b) {
      return a.size() == b.size()
          && a.entrySet().stream()
              .allMatch(
                  entry ->
                      b.containsKey(entry.getKey())
                          && equal(entry.getValue(), b.get(entry.getKey()), budget));
    }
    if (one instanceof Undefined && other instanceof Undefined) {
      return true;
    }
    return one instanceof String || other instanceof String
        ? Objects.equals(one, other)
        : one == other;
  }

  /** Negative, 0 or positive as one is less than, equal to or greater than the other. */
  static int compare(Object one, Object other) {
    if (isInteger(one) && isInteger(other)) {
      return Long.compare(integer(one), integer(other));
    }
    if (isNumber(one) && isNumber(other)) {
      return Double.compare(number(one), number(other));
    }
    if (one instanceof String a && other instanceof String b) {
      return compareCodePoints(a, b);
    }
    if (one instanceof Undefined undefined) {
      throw undefined.refused();
    }
    if (other instanceof Undefined undefined) {
      throw undefined.refused();
    }
    throw TemplateException.of("cannot compare %s with %s", type(one), type(other));
  }

  private static int compareCodePoints(String one, String other) {
    int[] a = one.codePoints().toArray();
    int[] b = other.codePoints().toArray();
    return Arrays.compare(a, b);
  }

  static boolean contains(Object container, Object element, Budget budget) {
    if (container instanceof String text) {
      return text.contains(string(element));
    }
    if (container instanceof Map<?, ?> map) {
      return map.containsKey(element);
    }
    if (container instanceof List<?> list) {
      return list.stream().anyMatch(own -> equal(own, element, budget));
    }
    if (container instanceof Undefined) {
      return false;
    }
    throw TemplateException.of("cannot look into %s", type(container));
  }

  /** {@code str(value)}. */
  static String text(Object value, Budget budget) {
    if (value instanceof String text) {
      return text;
    }
    if (value instanceof Undefined) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    represent(value, text, budget);
    return text.toString();
  }

  private static void represent(Object value, StringBuilder text, Budget budget) {
    if (budget != null) {
      budget.step();
      budget.characters(text.length());
    }
    if (value == null) {
      text.append("None");
    } else if (value instanceof Boolean flag) {
      text.append(flag ? "True" : "False");
    } else if (value instanceof Double number) {
      text.append(decimal(number));
    } else if (value instanceof Long) {
      text.append(value);
    } else if (value instanceof String string) {
      quote(string, text);
    } else if (value instanceof List<?> list) {
      String separator = "[";
      for (Object element : list) {
        text.append(separator);
        represent(element, text, budget);
        separator = ", ";
      }
      text.append(list.isEmpty() ? "[]" : "]");
    } else if (value instanceof Map<?, ?> map) {
      String separator = "{";
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        text.append(separator);
        represent(entry.getKey(), text, budget);
        text.append(": ");
        represent(entry.getValue(), text, budget);
        separator = ", ";
      }
      text.append(map.isEmpty() ? "{}" : "}");
    } else if (value instanceof Undefined) {
      text.append("Undefined");
    } else {
      throw TemplateException.of("%s has no text", type(value));
    }
  }

  /** As Python writes floating-point numbers, also in JSON. */
  static String decimal(double value) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
    }
    String text = Double.toString(value);
    int exponent = text.indexOf('E');
    if (exponent < 0) {
      return text;
    }
    int power = Integer.parseInt(text.substring(exponent + 1));
    if (power >= -4 && power < 16) {
      String plain = new BigDecimal(text).toPlainString();
      return plain.indexOf('.') < 0 ? plain + ".0" : plain;
    }
    String digits = text.substring(0, exponent).replaceFirst("\\.0$", "");
    return "%se%s%02d".formatted(digits, power < 0 ? "-" : "+", Math.abs(power));
  }

  private static void quote(String string, StringBuilder text) {
    char quote = string.indexOf('\'') >= 0 && string.indexOf('"') < 0 ? '"' : '\'';
    text.append(quote);
    string
        .codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                case '\\' -> text.append("\\\\");
                default -> {
                  if (c == quote) {
                    text.append('\\').append(quote);
                  } else if (c < ' ' || c == 0x7f) {
                    text.append("\\x%02x".formatted(c));
                  } else {
                    text.appendCodePoint(c);
                  }
                }
              }
            });
    text.append(quote);
  }
}
