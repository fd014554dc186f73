package io.guilomo.spark.report;

import java.util.ArrayList;
import java.util.List;

/**
 * The numbers along one side of a chart: from one round number to another.
 *
 * @param low the first tick
 * @param high the last tick
 * @param step between two ticks: 1, 2 or 5 times a power of ten
 */
record Axis(double low, double high, double step) {

  /** An axis that holds all values from {@code least} to {@code most}, with some {@code ticks}. */
  static Axis of(double least, double most, int ticks) {
    double span = most - least;
    if (!(span > 0)) {
      span = least == 0 ? 1 : Math.abs(least) / 2;
    }
    double power = Math.pow(10, Math.floor(Math.log10(span / ticks)));
    double rest = span / ticks / power;
    double step = power * (rest <= 1 ? 1 : rest <= 2 ? 2 : rest <= 5 ? 5 : 10);
    double low = Math.floor(least / step + 1e-9) * step;
    double high = Math.ceil(most / step - 1e-9) * step;
    return high > low ? new Axis(low, high, step) : new Axis(low - step, high + step, step);
  }

  /** This axis with ticks at whole numbers only. */
  Axis whole() {
    return step >= 1 ? this : new Axis(Math.floor(low), Math.ceil(high), 1);
  }

  List<Double> ticks() {
    List<Double> ticks = new ArrayList<>();
    long count = Math.round((high - low) / step);
    for (long i = 0; i <= count; i++) {
      ticks.add(low + i * step);
    }
    return ticks;
  }

  /** Where a value lies: 0 at the first tick, 1 at the last. */
  double share(double value) {
    return (value - low) / (high - low);
  }

  /** A tick with no more decimals than all of them need. */
  String label(double tick) {
    if (step >= 1) {
      return Numbers.count(Math.round(tick));
    }
    int decimals = (int) Math.ceil(-Math.log10(step) - 1e-9);
    return decimals > 5
        ? Numbers.format("%.1e", tick)
        : Numbers.format("%." + decimals + "f", tick == 0 ? 0.0 : tick);
  }
}
