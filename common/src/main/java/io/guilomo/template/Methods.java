package io.guilomo.template;

import io.guilomo.template.Callable.Arguments;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The methods of strings, lists and mappings; none of them changes its object. */
final class Methods {

  private Methods() {}

  /**
   * @throws TemplateException if the value has no such method, or it would change the value
   */
  static Object call(Object value, String name, Arguments given, Scope scope) {
    Budget budget = scope.budget();
    if (value instanceof Undefined undefined) {
      throw undefined.refused();
    }
    if (value instanceof String text) {
      return ofString(text, name, given, budget);
    }
    if (value instanceof Map<?, ?> map) {
      Object own = map.get(name);
      return own instanceof Callable function
          ? function.call(scope, given)
          : ofMapping(map, name, given);
    }
    if (value instanceof List<?> list) {
      return ofList(list, name, given, budget);
    }
    if (value instanceof Attributes object
        && object.values().get(name) instanceof Callable function) {
      return function.call(scope, given);
    }
    throw unknown(value, name);
  }

  private static TemplateException unknown(Object value, String name) {
    return TemplateException.of("%s has no method %s", PythonValues.type(value), name);
  }

  private static Object ofString(String text, String name, Arguments given, Budget budget) {
    return switch (name) {
      case "strip" -> Texts.strip(text, given.text(0, "chars", null), true, true);
      case "lstrip" -> Texts.strip(text, given.text(0, "chars", null), true, false);
      case "rstrip" -> Texts.strip(text, given.text(0, "chars", null), false, true);
      case "startswith" -> prefixes(given).stream().anyMatch(text::startsWith);
      case "endswith" -> prefixes(given).stream().anyMatch(text::endsWith);
      case "removeprefix" -> {
        String prefix = PythonValues.string(given.require(0, "prefix"));
        yield text.startsWith(prefix) ? text.substring(prefix.length()) : text;
      }
      case "removesuffix" -> {
        String suffix = PythonValues.string(given.require(0, "suffix"));
        yield text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
      }
      case "split" ->
          Texts.split(text, given.text(0, "sep", null), given.integer(1, "maxsplit", -1));
      case "rsplit" ->
          Texts.splitFromRight(text, given.text(0, "sep", null), given.integer(1, "maxsplit", -1));
      case "splitlines" -> Texts.lines(text, given.flag(0, "keepends"));
      case "partition" -> partition(text, PythonValues.string(given.require(0, "sep")));
      case "replace" ->
          Texts.replace(
              text,
              PythonValues.string(given.require(0, "old")),
              PythonValues.string(given.require(1, "new")),
              given.integer(2, "count", -1),
              budget);
      case "join" -> Texts.join(PythonValues.elements(given.require(0, "iterable")), text, budget);
      case "upper" -> text.toUpperCase(Locale.ROOT);
      case "lower" -> text.toLowerCase(Locale.ROOT);
      case "title" -> Texts.title(text);
      case "capitalize" -> Texts.capitalize(text);
      case "find" -> position(text, text.indexOf(PythonValues.string(given.require(0, "sub"))));
      case "rfind" ->
          position(text, text.lastIndexOf(PythonValues.string(given.require(0, "sub"))));
      case "index" -> {
        int at = text.indexOf(PythonValues.string(given.require(0, "sub")));
        if (at < 0) {
          throw TemplateException.of("substring not found");
        }
        yield position(text, at);
      }
      case "count" ->
          (long) Texts.split(text, PythonValues.string(given.require(0, "sub")), -1).size() - 1;
      case "isspace" -> !text.isEmpty() && text.codePoints().allMatch(Texts::isSpace);
      case "isdigit", "isnumeric", "isdecimal" ->
          !text.isEmpty() && text.codePoints().allMatch(Character::isDigit);
      case "isalpha" -> !text.isEmpty() && text.codePoints().allMatch(Character::isLetter);
      case "isalnum" -> !text.isEmpty() && text.codePoints().allMatch(Character::isLetterOrDigit);
      case "isupper" -> Predicates.named("upper").holds(text, given, null);
      case "islower" -> Predicates.named("lower").holds(text, given, null);
      default -> throw unknown(text, name);
    };
  }

  private static List<String> prefixes(Arguments given) {
    Object prefix = given.require(0, "prefix");
    return prefix instanceof List<?> list
        ? list.stream().map(PythonValues::string).toList()
        : List.of(PythonValues.string(prefix));
  }

  private static Object position(String text, int at) {
    return at < 0 ? -1L : (long) text.codePointCount(0, at);
  }

  private static List<Object> partition(String text, String separator) {
    int at = separator.isEmpty() ? -1 : text.indexOf(separator);
    return at < 0
        ? List.of(text, "", "")
        : List.of(text.substring(0, at), separator, text.substring(at + separator.length()));
  }

  private static Object ofMapping(Map<?, ?> map, String name, Arguments given) {
    return switch (name) {
      case "get" -> {
        Object key = given.require(0, "key");
        yield map.containsKey(key) ? map.get(key) : given.get(1, "default", null);
      }
      case "items" -> items(map);
      case "keys" -> new ArrayList<Object>(map.keySet());
      case "values" -> new ArrayList<Object>(map.values());
      default -> throw unknown(map, name);
    };
  }

  static List<Object> items(Map<?, ?> map) {
    List<Object> items = new ArrayList<>();
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      List<Object> item = new ArrayList<>();
      item.add(entry.getKey());
      item.add(entry.getValue());
      items.add(item);
    }
    return items;
  }

  private static Object ofList(List<?> list, String name, Arguments given, Budget budget) {
    return switch (name) {
      case "index" -> {
        for (int i = 0; i < list.size(); i++) {
          if (PythonValues.equal(list.get(i), given.require(0, "value"), budget)) {
            yield (long) i;
          }
        }
        throw TemplateException.of("the value is not in the list");
      }
      case "count" ->
          list.stream()
              .filter(own -> PythonValues.equal(own, given.require(0, "value"), budget))
              .count();
      case "append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort" ->
          throw TemplateException.of("a template may not change a list (%s)", name);
      default -> throw unknown(list, name);
    };
  }
}
