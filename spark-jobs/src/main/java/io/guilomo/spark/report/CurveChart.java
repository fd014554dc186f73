package io.guilomo.spark.report;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * Curves of values with their intervals over sizes, whose axis is logarithmic. The points of one
 * size are drawn beside each other, so that their intervals can be told apart.
 *
 * @param title what is shown
 * @param across what the horizontal axis counts
 * @param curves at most {@link #CURVES}: beyond the number of colours their points are diamonds
 */
record CurveChart(String title, String across, List<Curve> curves) {

  /** As many as can be told apart. */
  static final int CURVES = 2 * LineChart.LINES;

  private static final int HEIGHT = 300;

  /** Distance between neighbouring curves' points, of the width of all sizes. */
  private static final double BESIDE = 0.008;

  /**
   * One point.
   *
   * @param size above 0
   * @param low the value itself if there is no interval
   */
  record Point(double size, double low, double value, double high) {}

  /**
   * One curve.
   *
   * @param points from the smallest size to the largest; at least one
   */
  record Curve(String name, List<Point> points) {

    private String words() {
      return name
          + ": "
          + points.stream()
              .map(
                  point ->
                      Numbers.measured(point.value())
                          + " at "
                          + Numbers.count(Math.round(point.size())))
              .collect(Collectors.joining(", "));
    }
  }

  Html html() {
    Html html = new Html().open("figure", "class", "chart").element("h3", title);
    html.add(Plot.of(title, alternative(), HEIGHT, this::draw)).open("ul", "class", "legend");
    for (int i = 0; i < curves.size(); i++) {
      String swatch = isBeyondColours(i) ? "swatch diamond " : "swatch ";
      html.open("li").open("span", "class", swatch + colour(i)).close("span");
      html.text(curves.get(i).name()).close("li");
    }
    return html.close("ul").close("figure");
  }

  private void draw(Plot plot) {
    double[] sizes = points().mapToDouble(point -> Math.log10(point.size())).sorted().toArray();
    double beside = BESIDE * (sizes[sizes.length - 1] - sizes[0]);
    double outermost = beside * curves.size() / 2;
    Range horizontal =
        Range.of(DoubleStream.of(sizes[0] - outermost, sizes[sizes.length - 1] + outermost));
    Range vertical =
        Range.of(points().flatMapToDouble(point -> DoubleStream.of(point.low(), point.high())));
    plot.horizontal(
        across, horizontal, place -> rounded(Math.pow(10, place / horizontal.place(1))));
    plot.vertical(vertical, vertical::label);
    for (int i = 0; i < curves.size(); i++) {
      double shift = beside * (i - (curves.size() - 1) / 2.0);
      List<Point> points = curves.get(i).points();
      double[] at =
          points.stream()
              .mapToDouble(point -> horizontal.place(Math.log10(point.size()) + shift))
              .toArray();
      for (int p = 0; p < at.length; p++) {
        Point point = points.get(p);
        if (point.low() < point.high()) {
          plot.line(
              new double[] {at[p], at[p]},
              new double[] {vertical.place(point.low()), vertical.place(point.high())},
              colour(i));
        }
      }
      double[] up = points.stream().mapToDouble(point -> vertical.place(point.value())).toArray();
      if (isBeyondColours(i)) {
        plot.diamondLine(at, up, colour(i));
      } else {
        plot.markedLine(at, up, colour(i));
      }
    }
  }

  private static String colour(int curve) {
    return "k" + curve % LineChart.LINES;
  }

  private static boolean isBeyondColours(int curve) {
    return curve >= LineChart.LINES;
  }

  /** Two digits are enough for the ticks of a logarithmic axis: {@code 52,000}. */
  private static String rounded(double size) {
    double unit = Math.pow(10, Math.max(0, Math.floor(Math.log10(size)) - 1));
    return Numbers.count(Math.round(Math.round(size / unit) * unit));
  }

  private Stream<Point> points() {
    return curves.stream().flatMap(curve -> curve.points().stream());
  }

  private String alternative() {
    return title + ". " + curves.stream().map(Curve::words).collect(Collectors.joining("; ")) + ".";
  }
}
