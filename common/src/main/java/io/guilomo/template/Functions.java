package io.guilomo.template;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The functions that every template may call. */
final class Functions {

  private static final Map<String, Callable> FUNCTIONS =
      Map.of(
          "range", Functions::range,
          "namespace", (scope, given) -> Attributes.namespace(dictionary(given)),
          "dict", (scope, given) -> dictionary(given),
          "raise_exception", Functions::raise,
          "strftime_now", Functions::now);

  /** Patterns of {@link DateTimeFormatter} by the letters of {@code strftime}. */
  private static final Map<Character, String> DATES =
      Map.ofEntries(
          Map.entry('Y', "yyyy"),
          Map.entry('y', "yy"),
          Map.entry('m', "MM"),
          Map.entry('d', "dd"),
          Map.entry('B', "MMMM"),
          Map.entry('b', "MMM"),
          Map.entry('A', "EEEE"),
          Map.entry('a', "EEE"),
          Map.entry('H', "HH"),
          Map.entry('I', "hh"),
          Map.entry('M', "mm"),
          Map.entry('S', "ss"),
          Map.entry('p', "a"),
          Map.entry('j', "DDD"),
          Map.entry('F', "yyyy-MM-dd"),
          Map.entry('T', "HH:mm:ss"));

  private Functions() {}

  /** Null if there is none. */
  static Callable named(String name) {
    return FUNCTIONS.get(name);
  }

  private static Object range(Scope scope, Callable.Arguments given) {
    boolean one = given.positional().size() < 2;
    long from = one ? 0 : given.integer(0, "start", 0);
    long to = PythonValues.integer(given.require(one ? 0 : 1, "stop"));
    long step = given.integer(2, "step", 1);
    if (step == 0) {
      throw TemplateException.of("the step of a range is 0");
    }
    List<Object> numbers = new ArrayList<>();
    for (long i = from; step > 0 ? i < to : i > to; i += step) {
      numbers.add(i);
      scope.budget().step();
      scope.budget().elements(numbers.size());
    }
    return numbers;
  }

  private static Map<String, Object> dictionary(Callable.Arguments given) {
    Map<String, Object> values = new LinkedHashMap<>();
    if (!given.positional().isEmpty()) {
      if (!(given.positional().get(0) instanceof Map<?, ?> map)) {
        throw TemplateException.of("expected a mapping");
      }
      map.forEach((key, value) -> values.put(String.valueOf(key), value));
    }
    values.putAll(given.named());
    return values;
  }

  private static Object raise(Scope scope, Callable.Arguments given) {
    throw TemplateException.raised(PythonValues.text(given.require(0, "message"), scope.budget()));
  }

  /** The time of the rendering's clock, which is the same wherever a template asks. */
  private static Object now(Scope scope, Callable.Arguments given) {
    String format = PythonValues.string(given.require(0, "format"));
    ZonedDateTime now = ZonedDateTime.now(scope.clock());
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        text.append(c);
        continue;
      }
      char letter = format.charAt(++i);
      if (letter == '%') {
        text.append('%');
      } else if (DATES.containsKey(letter)) {
        text.append(DateTimeFormatter.ofPattern(DATES.get(letter), Locale.US).format(now));
      } else {
        throw TemplateException.of("strftime_now does not know %%%c", letter);
      }
    }
    return text.toString();
  }
}
