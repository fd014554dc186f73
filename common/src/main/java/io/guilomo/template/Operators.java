package io.guilomo.template;

import java.util.ArrayList;
import java.util.List;

/** Jinja's operators between two values. */
final class Operators {

  /** An operator between two values. */
  @FunctionalInterface
  interface Binary {
    Object apply(Object one, Object other, Budget budget);
  }

  private Operators() {}

  static Binary arithmetic(String operator) {
    return switch (operator) {
      case "+" -> Operators::add;
      case "-" -> (a, b, budget) -> subtract(a, b);
      case "*" -> Operators::multiply;
      case "/" -> (a, b, budget) -> PythonValues.number(a) / nonZero(PythonValues.number(b));
      case "//" -> (a, b, budget) -> floorDivide(a, b);
      case "%" -> (a, b, budget) -> remainder(a, b);
      case "**" -> (a, b, budget) -> power(a, b);
      case "~" -> Operators::concatenate;
      default -> throw new IllegalArgumentException(operator);
    };
  }

  /** Null for what is no comparison. */
  static Binary comparison(String operator) {
    return switch (operator) {
      case "==" -> PythonValues::equal;
      case "!=" -> (a, b, budget) -> !PythonValues.equal(a, b, budget);
      case "<" -> (a, b, budget) -> PythonValues.compare(a, b) < 0;
      case "<=" -> (a, b, budget) -> PythonValues.compare(a, b) <= 0;
      case ">" -> (a, b, budget) -> PythonValues.compare(a, b) > 0;
      case ">=" -> (a, b, budget) -> PythonValues.compare(a, b) >= 0;
      default -> null;
    };
  }

  private static Object add(Object one, Object other, Budget budget) {
    if (one instanceof String a && other instanceof String b) {
      budget.characters((long) a.length() + b.length());
      return a + b;
    }
    if (one instanceof List<?> a && other instanceof List<?> b) {
      budget.elements((long) a.size() + b.size());
      List<Object> all = new ArrayList<>(a);
      all.addAll(b);
      return all;
    }
    requireNumbers(one, other, "add");
    return bothIntegers(one, other)
        ? (Object) Math.addExact(PythonValues.integer(one), PythonValues.integer(other))
        : (Object) (PythonValues.number(one) + PythonValues.number(other));
  }

  private static Object subtract(Object one, Object other) {
    requireNumbers(one, other, "subtract");
    return bothIntegers(one, other)
        ? (Object) Math.subtractExact(PythonValues.integer(one), PythonValues.integer(other))
        : (Object) (PythonValues.number(one) - PythonValues.number(other));
  }

  private static Object multiply(Object one, Object other, Budget budget) {
    if (PythonValues.isInteger(one) && other instanceof String) {
      return multiply(other, one, budget);
    }
    if (one instanceof String text && PythonValues.isInteger(other)) {
      long count = Math.max(0, Math.min(PythonValues.integer(other), Integer.MAX_VALUE));
      budget.characters(text.length() * count);
      return text.repeat((int) count);
    }
    requireNumbers(one, other, "multiply");
    return bothIntegers(one, other)
        ? (Object) Math.multiplyExact(PythonValues.integer(one), PythonValues.integer(other))
        : (Object) (PythonValues.number(one) * PythonValues.number(other));
  }

  private static Object floorDivide(Object one, Object other) {
    requireNumbers(one, other, "divide");
    nonZero(PythonValues.number(other));
    return bothIntegers(one, other)
        ? (Object) Math.floorDiv(PythonValues.integer(one), PythonValues.integer(other))
        : (Object) Math.floor(PythonValues.number(one) / PythonValues.number(other));
  }

  private static Object remainder(Object one, Object other) {
    if (one instanceof String) {
      throw TemplateException.of("formatting a string with %% is not supported");
    }
    requireNumbers(one, other, "divide");
    double divisor = nonZero(PythonValues.number(other));
    if (bothIntegers(one, other)) {
      return Math.floorMod(PythonValues.integer(one), PythonValues.integer(other));
    }
    double number = PythonValues.number(one);
    return number - Math.floor(number / divisor) * divisor;
  }

  private static Object power(Object one, Object other) {
    requireNumbers(one, other, "raise");
    double power = Math.pow(PythonValues.number(one), PythonValues.number(other));
    boolean whole =
        bothIntegers(one, other) && PythonValues.integer(other) >= 0 && Math.abs(power) < 1L << 53;
    return whole ? (Object) (long) power : (Object) power;
  }

  private static Object concatenate(Object one, Object other, Budget budget) {
    return add(PythonValues.text(one, budget), PythonValues.text(other, budget), budget);
  }

  private static boolean bothIntegers(Object one, Object other) {
    return PythonValues.isInteger(one) && PythonValues.isInteger(other);
  }

  private static double nonZero(double divisor) {
    if (divisor == 0) {
      throw TemplateException.of("division by zero");
    }
    return divisor;
  }

  private static void requireNumbers(Object one, Object other, String what) {
    for (Object value : new Object[] {one, other}) {
      if (value instanceof Undefined undefined) {
        throw undefined.refused();
      }
    }
    if (!PythonValues.isNumber(one) || !PythonValues.isNumber(other)) {
      throw TemplateException.of(
          "cannot %s %s and %s", what, PythonValues.type(one), PythonValues.type(other));
    }
  }
}
