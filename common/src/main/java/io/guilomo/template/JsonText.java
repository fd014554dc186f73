package io.guilomo.template;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * JSON as Python's {@code json.dumps(value, ensure_ascii=False)} writes it, which is transformers'
 * {@code tojson}: unlike Jinja's it leaves HTML's characters alone.
 *
 * @param indent null for one line
 * @param ascii whether other characters are escaped
 */
record JsonText(
    String indent, String itemSeparator, String keySeparator, boolean sorted, boolean ascii) {

  static JsonText of(Callable.Arguments arguments) {
    boolean ascii = arguments.flag(0, "ensure_ascii");
    Object given = arguments.get(1, "indent", null);
    String indent =
        given == null
            ? null
            : given instanceof String text
                ? text
                : " ".repeat((int) Math.max(0, Math.min(64, PythonValues.integer(given))));
    List<Object> separators =
        arguments.get(2, "separators", null) instanceof List<?> list
            ? PythonValues.elements(list)
            : List.of(indent == null ? ", " : ",", ": ");
    if (separators.size() != 2) {
      throw TemplateException.of("tojson takes two separators");
    }
    return new JsonText(
        indent,
        PythonValues.string(separators.get(0)),
        PythonValues.string(separators.get(1)),
        arguments.flag(3, "sort_keys"),
        ascii);
  }

  String write(Object value, Budget budget) {
    StringBuilder json = new StringBuilder();
    write(value, "\n", json, budget);
    return json.toString();
  }

  private void write(Object value, String line, StringBuilder json, Budget budget) {
    budget.step();
    budget.characters(json.length());
    if (value == null || value instanceof Boolean) {
      json.append(value);
    } else if (value instanceof Long) {
      json.append(value);
    } else if (value instanceof Double number) {
      json.append(PythonValues.decimal(number));
    } else if (value instanceof String text) {
      quote(text, json);
    } else if (value instanceof List<?> list) {
      list(list, line, json, budget);
    } else if (value instanceof Map<?, ?> map) {
      map(map, line, json, budget);
    } else {
      throw TemplateException.of("%s cannot be written as JSON", PythonValues.type(value));
    }
  }

  private void list(List<?> list, String line, StringBuilder json, Budget budget) {
    String inner = indent == null ? "" : line + indent;
    String before = "[" + inner;
    for (Object element : list) {
      json.append(before);
      write(element, indent == null ? line : inner, json, budget);
      before = itemSeparator + inner;
    }
    json.append(list.isEmpty() ? "[]" : indent == null ? "]" : line + "]");
  }

  private void map(Map<?, ?> map, String line, StringBuilder json, Budget budget) {
    Map<?, ?> entries = sorted ? new TreeMap<>(map) : map;
    String inner = indent == null ? "" : line + indent;
    String before = "{" + inner;
    for (Map.Entry<?, ?> entry : entries.entrySet()) {
      json.append(before);
      quote(PythonValues.text(entry.getKey(), budget), json);
      json.append(keySeparator);
      write(entry.getValue(), indent == null ? line : inner, json, budget);
      before = itemSeparator + inner;
    }
    json.append(map.isEmpty() ? "{}" : indent == null ? "}" : line + "}");
  }

  private void quote(String text, StringBuilder json) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> json.append("\\\"");
        case '\\' -> json.append("\\\\");
        case '\n' -> json.append("\\n");
        case '\r' -> json.append("\\r");
        case '\t' -> json.append("\\t");
        case '\b' -> json.append("\\b");
        case '\f' -> json.append("\\f");
        default -> {
          if (c < ' ' || ascii && c > '~') {
            json.append("\\u%04x".formatted((int) c));
          } else {
            json.append(c);
          }
        }
      }
    }
    json.append('"');
  }
}
