package io.guilomo.spark.report;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/**
 * Values with their intervals, one per row, on a common axis.
 *
 * @param title what is shown
 * @param across title of the horizontal axis
 * @param rows from top to bottom; values that are not finite are left out
 * @param shown values that the axis always includes; a single one is marked by a line through all
 *     rows
 */
record IntervalChart(String title, String across, List<Interval> rows, List<Double> shown) {

  private static final int ROW = 34;
  private static final int AXIS = 62;

  IntervalChart {
    rows = rows.stream().filter(Interval::isNumber).toList();
  }

  /**
   * A value and its interval.
   *
   * @param low the value itself if there is no interval
   */
  record Interval(String name, double low, double value, double high) {

    private boolean isNumber() {
      return Double.isFinite(low) && Double.isFinite(value) && Double.isFinite(high);
    }

    private String words() {
      String words = name + ": " + Numbers.measured(value);
      return low == high
          ? words
          : words + " in " + Numbers.measured(low) + " to " + Numbers.measured(high);
    }
  }

  /** The chart; empty if no row is left. */
  Html html() {
    if (rows.isEmpty()) {
      return new Html();
    }
    return new Html()
        .open("figure", "class", "chart intervals")
        .add(Plot.of(title, alternative(), AXIS + ROW * (rows.size() + 1), this::draw))
        .close("figure");
  }

  private void draw(Plot plot) {
    Range range =
        Range.of(
            DoubleStream.concat(
                shown.stream().mapToDouble(Double::doubleValue),
                rows.stream().flatMapToDouble(row -> DoubleStream.of(row.low(), row.high()))));
    plot.horizontal(across, range, range::label);
    plot.rows(rows.size(), place -> row(place).name());
    for (int place = 0; place < rows.size(); place++) {
      Interval row = row(place);
      plot.line(
          new double[] {range.place(row.low()), range.place(row.high())},
          new double[] {place, place},
          "range");
    }
    if (shown.size() == 1) {
      double mark = range.place(shown.get(0));
      plot.line(new double[] {mark, mark}, new double[] {-1, rows.size()}, "mark");
    }
    for (int place = 0; place < rows.size(); place++) {
      plot.markedLine(
          new double[] {range.place(row(place).value())}, new double[] {place}, "point");
    }
  }

  /** The row at a place; places are counted from the bottom. */
  private Interval row(int place) {
    return rows.get(rows.size() - 1 - place);
  }

  private String alternative() {
    return title
        + ". "
        + rows.stream().map(Interval::words).collect(Collectors.joining("; "))
        + ".";
  }
}
