package io.guilomo.template;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/** Jinja's tests, which follow {@code is}. */
final class Predicates {

  /** A test of a value. */
  @FunctionalInterface
  interface Predicate {
    boolean holds(Object value, Callable.Arguments arguments, Scope scope);
  }

  private static final Map<String, Predicate> PREDICATES =
      Map.ofEntries(
          entry("defined", value -> !(value instanceof Undefined)),
          entry("undefined", value -> value instanceof Undefined),
          entry("none", value -> value == null),
          entry("true", Boolean.TRUE::equals),
          entry("false", Boolean.FALSE::equals),
          entry("boolean", value -> value instanceof Boolean),
          entry("string", value -> value instanceof String),
          entry("number", PythonValues::isNumber),
          entry("integer", value -> value instanceof Long),
          entry("float", value -> value instanceof Double),
          entry("mapping", value -> value instanceof Map),
          entry("sequence", Predicates::iterable),
          entry("iterable", value -> iterable(value) || value instanceof Undefined),
          entry("callable", value -> value instanceof Callable),
          entry("even", value -> PythonValues.integer(value) % 2 == 0),
          entry("odd", value -> PythonValues.integer(value) % 2 != 0),
          entry("lower", value -> cased(value) && value.equals(lower(value))),
          entry("upper", value -> cased(value) && value.equals(upper(value))),
          Map.entry(
              "divisibleby",
              (value, given, scope) ->
                  Math.floorMod(PythonValues.integer(value), given.integer(0, "num", 0)) == 0),
          Map.entry(
              "in",
              (value, given, scope) ->
                  PythonValues.contains(given.require(0, "seq"), value, scope.budget())),
          Map.entry("sameas", (value, given, scope) -> same(value, given.require(0, "other"))),
          compared("eq", "=="),
          compared("ne", "!="),
          compared("lt", "<"),
          compared("le", "<="),
          compared("gt", ">"),
          compared("ge", ">="));

  private static final Map<String, String> ALIASES =
      Map.of(
          "==",
          "eq",
          "equalto",
          "eq",
          "!=",
          "ne",
          "<",
          "lt",
          "lessthan",
          "lt",
          "<=",
          "le",
          ">",
          "gt",
          "greaterthan",
          "gt",
          ">=",
          "ge");

  private Predicates() {}

  /** Null if there is none. */
  static Predicate named(String name) {
    return PREDICATES.get(ALIASES.getOrDefault(name, name));
  }

  private static Map.Entry<String, Predicate> entry(
      String name, java.util.function.Predicate<Object> test) {
    return Map.entry(name, (value, given, scope) -> test.test(value));
  }

  private static Map.Entry<String, Predicate> compared(String name, String operator) {
    Operators.Binary comparison = Operators.comparison(operator);
    return Map.entry(
        name,
        (value, given, scope) ->
            (Boolean) comparison.apply(value, given.require(0, "other"), scope.budget()));
  }

  private static boolean iterable(Object value) {
    return value instanceof String || value instanceof List || value instanceof Map;
  }

  private static boolean same(Object one, Object other) {
    return one == null || one instanceof Boolean ? Objects.equals(one, other) : one == other;
  }

  private static boolean cased(Object value) {
    return value instanceof String && !lower(value).equals(upper(value));
  }

  private static String lower(Object value) {
    return ((String) value).toLowerCase(Locale.ROOT);
  }

  private static String upper(Object value) {
    return ((String) value).toUpperCase(Locale.ROOT);
  }
}
