package io.guilomo.spark.report;

import java.util.stream.DoubleStream;

/**
 * The range of an axis: slightly more than all values, multiplied by a power of ten. XChart treats
 * values closer than 0.0001 as equal and rounds ticks to ten decimals, so it needs ranges of
 * moderate size.
 *
 * @param low lower end, after multiplication
 * @param high upper end, after multiplication
 * @param power the power of ten; negative for large values
 */
record Range(double low, double high, int power) {

  private static final double LEAST_SPAN = 50;

  /** Unequal margins: with equal distances, XChart would put the ticks at the values themselves. */
  private static final double BELOW = 0.04;

  private static final double ABOVE = 0.05;

  /**
   * @param values in any order; values that are not finite are ignored
   */
  static Range of(DoubleStream values) {
    double[] sorted = values.filter(Double::isFinite).sorted().toArray();
    if (sorted.length == 0) {
      return of(DoubleStream.of(0, 1));
    }
    double least = sorted[0];
    double most = sorted[sorted.length - 1];
    double span = most - least;
    // Smaller differences are rounding errors.
    if (span <= Math.max(Math.abs(least), Math.abs(most)) * 1e-9) {
      span = least == 0 ? 1 : Math.abs(least);
      least -= span / 2;
      most += span / 2;
    }
    int power = (int) Math.ceil(Math.log10(LEAST_SPAN / span) - 1e-9);
    double factor = Math.pow(10, power);
    return new Range((least - BELOW * span) * factor, (most + ABOVE * span) * factor, power);
  }

  /** The position of a value on the axis. */
  double place(double value) {
    return value * Math.pow(10, power);
  }

  /** The value at a tick, with as many decimals as the ticks of this range need. */
  String label(double place) {
    double value = place / Math.pow(10, power);
    // If all ticks are multiples of ten, one decimal less will do.
    boolean tens = Math.abs(place / 10 - Math.rint(place / 10)) < 1e-6;
    int decimals = Math.max(0, tens ? power - 1 : power);
    if (decimals > 5 || Math.abs(value) >= 1e7) {
      return Math.abs(place) < 1e-6 ? "0" : Numbers.format("%.1e", value);
    }
    return Numbers.format("%,." + decimals + "f", Math.abs(place) < 1e-6 ? 0.0 : value);
  }

  /** The value at a tick if it is a whole number; otherwise empty. */
  String wholeLabel(double place) {
    double value = place / Math.pow(10, power);
    return Math.abs(value - Math.rint(value)) < 1e-6 ? Numbers.count(Math.round(value)) : "";
  }
}
