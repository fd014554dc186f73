package io.guilomo.spark.report;

/**
 * A value within its interval, as a small picture beside the numbers.
 *
 * @param axis of all pictures of a column
 * @param low end of the interval; the value itself where there is none
 * @param high its other end
 * @param mark drawn across, such as 0 where differences are shown; NaN for none
 */
record IntervalBar(Axis axis, double low, double value, double high, double mark) {

  private static final double WIDTH = 160;

  Html html() {
    Html html =
        new Html().open("svg", "class", "interval", "viewBox", "0 0 160 16", "aria-hidden", "true");
    if (!Double.isNaN(mark)) {
      path(html, "mark", Numbers.format("M%.1f 0V16", x(mark)));
    }
    path(html, "range", Numbers.format("M%.1f 8H%.1f", x(low), x(high)));
    path(html, "point", Numbers.format("M%.1f 8h0", x(value)));
    return html.close("svg");
  }

  private static void path(Html html, String kind, String data) {
    html.open("path", "class", kind, "d", data).close("path");
  }

  private double x(double value) {
    return 5 + axis.share(value) * (WIDTH - 10);
  }
}
