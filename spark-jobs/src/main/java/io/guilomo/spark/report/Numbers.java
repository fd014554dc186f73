package io.guilomo.spark.report;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Numbers and times as reports and the terminal show them, whatever the locale. */
public final class Numbers {

  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");

  private Numbers() {}

  /** {@code 1,234,567}. */
  static String count(long value) {
    return format("%,d", value);
  }

  /** {@code 4} or {@code 4.3}. */
  static String oneDecimal(double value) {
    return value == Math.rint(value) ? count((long) value) : format("%.1f", value);
  }

  /** {@code 0.7242}, with fewer decimals the larger it is; small values in scientific notation. */
  static String measured(double value) {
    double size = Math.abs(value);
    if (size >= 1000 || value == Math.rint(value)) {
      return format("%,.0f", value);
    }
    if (size >= 10) {
      return format("%.1f", value);
    }
    return size >= 0.001 ? format("%.4f", value) : format("%.2e", value);
  }

  /** {@code +0.0082}. */
  static String difference(double value) {
    return format("%+.4f", value);
  }

  /** {@code 12.3 %}. */
  static String percent(double share) {
    return format("%.1f %%", 100 * share);
  }

  static String time(Instant instant) {
    return TIME.format(instant.atZone(ZoneOffset.UTC)) + " UTC";
  }

  /** {@code 1 h 2 min}, {@code 3 min 4 s} or {@code 5 s}. */
  public static String duration(Duration duration) {
    if (duration.toHours() > 0) {
      return duration.toHours() + " h " + duration.toMinutesPart() + " min";
    }
    return duration.toMinutes() > 0
        ? duration.toMinutes() + " min " + duration.toSecondsPart() + " s"
        : duration.toSeconds() + " s";
  }

  public static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
