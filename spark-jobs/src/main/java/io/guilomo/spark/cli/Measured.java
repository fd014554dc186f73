package io.guilomo.spark.cli;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/** How progress shows what was measured. */
final class Measured {

  private Measured() {}

  /** {@code ", train loss 0.6931"} for each value. */
  static String text(Map<String, Double> values) {
    StringBuilder text = new StringBuilder();
    values.forEach(
        (name, value) -> text.append(String.format(Locale.ROOT, ", %s %.4g", name, value)));
    return text.toString();
  }

  /** {@code 1 h 2 min}, {@code 3 min 4 s} or {@code 5 s}. */
  static String duration(long nanoseconds) {
    Duration left = Duration.ofNanos(nanoseconds);
    if (left.toHours() > 0) {
      return left.toHours() + " h " + left.toMinutesPart() + " min";
    }
    return left.toMinutes() > 0
        ? left.toMinutes() + " min " + left.toSecondsPart() + " s"
        : left.toSeconds() + " s";
  }
}
