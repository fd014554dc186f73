package io.guilomo.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import io.guilomo.config.FinetuneConfig.Betas;
import io.guilomo.model.RecordSource;
import io.guilomo.model.RecordSource.Kind;
import io.guilomo.model.UserException;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoublePredicate;
import java.util.stream.Stream;

/** A section of a configuration. Every value is validated when it is read. */
record ConfigSection(Config config, String path) {

  ConfigSection section(String name) {
    return new ConfigSection(config, key(name));
  }

  String text(String name) {
    ConfigValueType type = value(name).valueType();
    if (type == ConfigValueType.LIST
        || type == ConfigValueType.OBJECT
        || type == ConfigValueType.NULL) {
      throw refuse(name, "must be a text");
    }
    return config.getString(key(name));
  }

  /** Whether the value is left to what the configuration makes of others. */
  boolean isAuto(String name) {
    return text(name).equals("auto");
  }

  String oneOf(String name, List<String> values) {
    String text = text(name);
    if (!values.contains(text)) {
      String expected = values.size() == 1 ? values.get(0) : "one of " + String.join(", ", values);
      throw refuse(name, "must be " + expected);
    }
    return text;
  }

  /** The constant whose {@code toString} is the value. */
  <E extends Enum<E>> E oneOf(String name, Class<E> type) {
    List<String> names = Arrays.stream(type.getEnumConstants()).map(Enum::toString).toList();
    return type.getEnumConstants()[names.indexOf(oneOf(name, names))];
  }

  List<String> texts(String name) {
    try {
      return List.copyOf(config.getStringList(key(name)));
    } catch (ConfigException e) {
      throw refuse(name, "must be a list of texts");
    }
  }

  /** Distinct ones of some values, or none. */
  List<String> someOf(String name, List<String> values) {
    List<String> some = texts(name);
    if (!values.containsAll(some) || some.stream().distinct().count() < some.size()) {
      throw refuse(name, "must be different ones of " + String.join(", ", values));
    }
    return some;
  }

  boolean flag(String name) {
    try {
      return config.getBoolean(key(name));
    } catch (ConfigException e) {
      throw refuse(name, "must be true or false");
    }
  }

  int whole(String name, int least) {
    long value = whole(name, (long) least);
    if (value > Integer.MAX_VALUE) {
      throw refuse(name, "must be at most " + Integer.MAX_VALUE);
    }
    return (int) value;
  }

  long whole(String name, long least) {
    long value = exact(name, number(name, "must be a whole number"), "must be a whole number");
    if (value < least) {
      throw refuse(
          name, least == Long.MIN_VALUE ? "must be a whole number" : "must be at least " + least);
    }
    return value;
  }

  /** Where records are: at most one of the three keys says so. */
  RecordSource records(String path, String table, String query) {
    List<String> given =
        Stream.of(path, table, query).filter(name -> !text(name).isBlank()).toList();
    if (given.size() > 1) {
      throw new UserException(
          "Cannot read records from both %s and %s: keep one of them, and set the other to \"\"",
          key(given.get(0)), key(given.get(1)));
    }
    if (given.equals(List.of(table))) {
      return new RecordSource(Kind.TABLE, text(table));
    }
    return given.equals(List.of(query))
        ? new RecordSource(Kind.QUERY, text(query))
        : RecordSource.path(text(path));
  }

  /** A number that is at least {@code least}. */
  double number(String name, double least) {
    return number(name, value -> value >= least, "must be at least " + shortest(least));
  }

  double positive(String name) {
    return number(name, value -> value > 0, "must be above 0");
  }

  /** A positive number, or what {@code auto} stands for. */
  double positiveOr(String name, double auto) {
    if (isAuto(name)) {
      return auto;
    }
    String expected = "must be auto or a number above 0";
    double value = number(name, expected).doubleValue();
    if (!(value > 0)) {
      throw refuse(name, expected);
    }
    return value;
  }

  /** A number in {@code [0, 1]}. */
  double share(String name) {
    return number(name, value -> value >= 0 && value <= 1, "must be 0 to 1");
  }

  /** A number in {@code [0, 1)}. */
  double fraction(String name) {
    return number(name, ConfigSection::fraction, "must be at least 0 and below 1");
  }

  private static boolean fraction(double value) {
    return value >= 0 && value < 1;
  }

  private double number(String name, DoublePredicate allowed, String expected) {
    double value = number(name, "must be a number").doubleValue();
    if (!allowed.test(value)) {
      throw refuse(name, expected);
    }
    return value;
  }

  /** Two decay rates, each in {@code [0, 1)}. */
  Betas betas(String name) {
    String expected = "must be two numbers, each at least 0 and below 1";
    List<Number> values = numbers(name, expected);
    if (values.size() != 2
        || !values.stream().mapToDouble(Number::doubleValue).allMatch(ConfigSection::fraction)) {
      throw refuse(name, expected);
    }
    return new Betas(values.get(0).doubleValue(), values.get(1).doubleValue());
  }

  /** Distinct numbers above 0, or none. */
  List<Double> positives(String name) {
    String expected = "must be different numbers above 0";
    List<Double> values = numbers(name, expected).stream().map(Number::doubleValue).toList();
    if (values.stream().anyMatch(value -> value <= 0)
        || values.stream().distinct().count() < values.size()) {
      throw refuse(name, expected);
    }
    return values;
  }

  /** At least {@code least} distinct whole numbers. */
  List<Long> seeds(String name, int least) {
    String expected = "must be different whole numbers" + (least > 0 ? ", at least " + least : "");
    List<Long> seeds =
        numbers(name, expected).stream().map(value -> exact(name, value, expected)).toList();
    if (seeds.size() < least || seeds.stream().distinct().count() < seeds.size()) {
      throw refuse(name, expected);
    }
    return seeds;
  }

  UserException refuse(String name, String reason) {
    return new UserException("Cannot use %s = %s: %s", key(name), value(name).unwrapped(), reason);
  }

  private Number number(String name, String expected) {
    try {
      Number value = config.getNumber(key(name));
      if (Double.isFinite(value.doubleValue())) {
        return value;
      }
    } catch (ConfigException e) {
      // The same message for a text, a list and a number that is not finite.
    }
    throw refuse(name, expected);
  }

  private List<Number> numbers(String name, String expected) {
    try {
      List<Number> values = config.getNumberList(key(name));
      if (values.stream().allMatch(value -> Double.isFinite(value.doubleValue()))) {
        return values;
      }
    } catch (ConfigException e) {
      // As above.
    }
    throw refuse(name, expected);
  }

  private long exact(String name, Number value, String expected) {
    // 1e3 is parsed as a double, which represents whole numbers exactly up to 2^53.
    boolean whole = value instanceof Integer || value instanceof Long;
    if (!whole
        && (value.doubleValue() != Math.rint(value.doubleValue())
            || Math.abs(value.doubleValue()) > 0x1p53)) {
      throw refuse(name, expected);
    }
    return value.longValue();
  }

  private ConfigValue value(String name) {
    ConfigValue value = config.root();
    for (String part : key(name).split("\\.")) {
      value = ((ConfigObject) value).get(part);
    }
    return value;
  }

  private String key(String name) {
    return path + "." + name;
  }

  private static String shortest(double value) {
    return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
  }
}
