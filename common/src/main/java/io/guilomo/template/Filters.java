package io.guilomo.template;

import io.guilomo.template.Callable.Arguments;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** Jinja's filters, which follow {@code |}. */
final class Filters {

  /** A filter of a value. */
  @FunctionalInterface
  interface Filter {
    Object apply(Object value, Arguments arguments, Scope scope);
  }

  private static final Map<String, Filter> FILTERS =
      Map.ofEntries(
          text(
              "trim",
              (t, given, scope) -> Texts.strip(t, given.text(0, "chars", null), true, true)),
          text("upper", (t, given, scope) -> t.toUpperCase(Locale.ROOT)),
          text("lower", (t, given, scope) -> t.toLowerCase(Locale.ROOT)),
          text("capitalize", (t, given, scope) -> Texts.capitalize(t)),
          text("title", (t, given, scope) -> Texts.title(t)),
          text("string", (t, given, scope) -> t),
          text("safe", (t, given, scope) -> t),
          text("escape", (t, given, scope) -> escape(t, scope)),
          text("e", (t, given, scope) -> escape(t, scope)),
          text("replace", Filters::replace),
          text("indent", Filters::indent),
          Map.entry("length", (value, given, scope) -> PythonValues.length(value)),
          Map.entry("count", (value, given, scope) -> PythonValues.length(value)),
          Map.entry("default", Filters::otherwise),
          Map.entry("d", Filters::otherwise),
          Map.entry("tojson", (v, given, scope) -> JsonText.of(given).write(v, scope.budget())),
          Map.entry("int", Filters::integer),
          Map.entry("float", Filters::decimal),
          Map.entry("abs", (value, given, scope) -> absolute(value)),
          Map.entry("round", Filters::round),
          Map.entry("list", (value, given, scope) -> PythonValues.elements(value)),
          Map.entry("first", (value, given, scope) -> end(PythonValues.elements(value), true)),
          Map.entry("last", (value, given, scope) -> end(PythonValues.elements(value), false)),
          Map.entry("reverse", (value, given, scope) -> PythonValues.slice(value, null, null, -1L)),
          Map.entry("join", Filters::join),
          Map.entry("items", Filters::items),
          Map.entry("dictsort", Filters::dictionarySort),
          Map.entry("sort", Filters::sort),
          Map.entry("unique", Filters::unique),
          Map.entry("sum", Filters::sum),
          Map.entry("min", (value, given, scope) -> extreme(value, 1)),
          Map.entry("max", (value, given, scope) -> extreme(value, -1)),
          Map.entry("map", Filters::map),
          Map.entry("select", (value, given, scope) -> select(value, given, scope, false, true)),
          Map.entry("reject", (value, given, scope) -> select(value, given, scope, false, false)),
          Map.entry("selectattr", (value, given, scope) -> select(value, given, scope, true, true)),
          Map.entry(
              "rejectattr", (value, given, scope) -> select(value, given, scope, true, false)));

  /** A filter of what a value is as a text. */
  @FunctionalInterface
  private interface TextFilter {
    String apply(String text, Arguments arguments, Scope scope);
  }

  private Filters() {}

  /** Null if there is none. */
  static Filter named(String name) {
    return FILTERS.get(name);
  }

  private static Map.Entry<String, Filter> text(String name, TextFilter filter) {
    return Map.entry(
        name,
        (value, given, scope) ->
            filter.apply(PythonValues.text(value, scope.budget()), given, scope));
  }

  private static String escape(String text, Scope scope) {
    String escaped = text;
    String[][] entities = {
      {"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&#34;"}, {"'", "&#39;"}
    };
    for (String[] entity : entities) {
      escaped = Texts.replace(escaped, entity[0], entity[1], -1, scope.budget());
    }
    return escaped;
  }

  private static String replace(String text, Arguments given, Scope scope) {
    return Texts.replace(
        text,
        PythonValues.text(given.require(0, "old"), scope.budget()),
        PythonValues.text(given.require(1, "new"), scope.budget()),
        given.get(2, "count", null) == null ? -1 : given.integer(2, "count", -1),
        scope.budget());
  }

  private static String indent(String text, Arguments given, Scope scope) {
    Object width = given.get(0, "width", 4L);
    long spaces = width instanceof String ? 0 : PythonValues.integer(width);
    scope.budget().characters(spaces);
    String by = width instanceof String own ? own : " ".repeat((int) Math.max(0, spaces));
    return Texts.indent(text, by, given.flag(1, "first"), given.flag(2, "blank"), scope.budget());
  }

  private static Object otherwise(Object value, Arguments given, Scope scope) {
    boolean missing =
        value instanceof Undefined || given.flag(1, "boolean") && !PythonValues.truth(value);
    return missing ? given.get(0, "default_value", "") : value;
  }

  private static Object integer(Object value, Arguments given, Scope scope) {
    Object number = value instanceof String ? decimal(value, given, scope) : value;
    if (!PythonValues.isNumber(number)) {
      return given.get(0, "default", 0L);
    }
    return PythonValues.isInteger(number)
        ? PythonValues.integer(number)
        : (long) PythonValues.number(number);
  }

  private static Object decimal(Object value, Arguments given, Scope scope) {
    if (PythonValues.isNumber(value)) {
      return PythonValues.number(value);
    }
    try {
      return value instanceof String text
          ? Double.valueOf(text.strip())
          : given.get(0, "default", 0.0);
    } catch (NumberFormatException e) {
      return given.get(0, "default", 0.0);
    }
  }

  private static Object absolute(Object value) {
    return PythonValues.isInteger(value)
        ? (Object) Math.absExact(PythonValues.integer(value))
        : (Object) Math.abs(PythonValues.number(value));
  }

  private static Object round(Object value, Arguments given, Scope scope) {
    long digits = given.integer(0, "precision", 0);
    double factor = Math.pow(10, digits);
    return Math.rint(PythonValues.number(value) * factor) / factor;
  }

  private static Object end(List<Object> elements, boolean first) {
    return elements.isEmpty()
        ? new Undefined("an empty list has no element")
        : elements.get(first ? 0 : elements.size() - 1);
  }

  private static Object join(Object value, Arguments given, Scope scope) {
    List<Object> elements = PythonValues.elements(value);
    if (given.has(1, "attribute")) {
      elements.replaceAll(attribute(given.get(1, "attribute", null))::apply);
    }
    String separator = PythonValues.text(given.get(0, "d", ""), scope.budget());
    return Texts.join(elements, separator, scope.budget());
  }

  private static Object items(Object value, Arguments given, Scope scope) {
    if (value instanceof Undefined) {
      return List.of();
    }
    if (value instanceof Map<?, ?> map) {
      return Methods.items(map);
    }
    throw TemplateException.of("expected a mapping, found %s", PythonValues.type(value));
  }

  private static Object dictionarySort(Object value, Arguments given, Scope scope) {
    List<Object> items = PythonValues.elements(items(value, given, scope));
    items.sort(order(false, item -> ((List<?>) item).get(0)));
    return items;
  }

  private static Object sort(Object value, Arguments given, Scope scope) {
    List<Object> elements = PythonValues.elements(value);
    scope.budget().characters((long) elements.size() * 64);
    Object named = given.get(2, "attribute", null);
    Comparator<Object> order =
        order(given.flag(1, "case_sensitive"), named == null ? e -> e : attribute(named));
    elements.sort(given.flag(0, "reverse") ? Collections.reverseOrder(order) : order);
    return elements;
  }

  private static Comparator<Object> order(boolean sensitive, Function<Object, Object> key) {
    return (one, other) ->
        PythonValues.compare(
            folded(key.apply(one), sensitive), folded(key.apply(other), sensitive));
  }

  private static Object folded(Object value, boolean sensitive) {
    return !sensitive && value instanceof String text ? text.toLowerCase(Locale.ROOT) : value;
  }

  private static Object unique(Object value, Arguments given, Scope scope) {
    List<Object> distinct = new ArrayList<>();
    List<Object> seen = new ArrayList<>();
    for (Object element : PythonValues.elements(value)) {
      Object key = folded(element, given.flag(0, "case_sensitive"));
      if (!PythonValues.contains(seen, key, scope.budget())) {
        seen.add(key);
        distinct.add(element);
      }
    }
    return distinct;
  }

  private static Object sum(Object value, Arguments given, Scope scope) {
    Object total = given.get(1, "start", 0L);
    Object named = given.get(0, "attribute", null);
    for (Object element : PythonValues.elements(value)) {
      Object own = named == null ? element : attribute(named).apply(element);
      total = Operators.arithmetic("+").apply(total, own, scope.budget());
    }
    return total;
  }

  private static Object extreme(Object value, int sign) {
    return PythonValues.elements(value).stream()
        .min((one, other) -> sign * PythonValues.compare(one, other))
        .orElse(new Undefined("an empty list has no element"));
  }

  /** An attribute, whose dots lead into attributes of attributes. */
  private static Function<Object, Object> attribute(Object name) {
    return element -> {
      Object value = element;
      for (Object part : name instanceof String text ? text.split("\\.") : new Object[] {name}) {
        boolean index = part instanceof String text && text.matches("\\d{1,9}");
        value = PythonValues.item(value, index ? Long.valueOf((String) part) : part);
      }
      return value;
    };
  }

  private static Object map(Object value, Arguments given, Scope scope) {
    List<Object> elements = PythonValues.elements(value);
    if (given.positional().isEmpty()) {
      Object otherwise = given.get(9, "default", null);
      Function<Object, Object> attribute = attribute(given.require(0, "attribute"));
      elements.replaceAll(
          element -> {
            Object own = attribute.apply(element);
            return own instanceof Undefined && otherwise != null ? otherwise : own;
          });
      return elements;
    }
    String name = PythonValues.string(given.positional().get(0));
    Filter filter = named(name);
    if (filter == null) {
      throw TemplateException.of("there is no filter %s", name);
    }
    elements.replaceAll(element -> filter.apply(element, given.after(1), scope));
    return elements;
  }

  private static Object select(
      Object value, Arguments given, Scope scope, boolean byAttribute, boolean wanted) {
    int first = byAttribute ? 1 : 0;
    Function<Object, Object> key = byAttribute ? attribute(given.require(0, "name")) : e -> e;
    Predicates.Predicate test = (own, arguments, inner) -> PythonValues.truth(own);
    if (given.positional().size() > first) {
      String name = PythonValues.string(given.positional().get(first));
      test = Predicates.named(name);
      if (test == null) {
        throw TemplateException.of("there is no test %s", name);
      }
    }
    List<Object> selected = new ArrayList<>();
    for (Object element : PythonValues.elements(value)) {
      scope.budget().step();
      if (test.holds(key.apply(element), given.after(first + 1), scope) == wanted) {
        selected.add(element);
      }
    }
    return selected;
  }
}
