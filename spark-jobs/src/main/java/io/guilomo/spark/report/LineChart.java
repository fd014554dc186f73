package io.guilomo.spark.report;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Lines over a common horizontal axis, as an SVG image that takes its colours from the style sheet,
 * with a legend that says at which value each line starts and ends.
 *
 * @param title what is shown
 * @param across what the horizontal axis counts
 * @param lines at most {@link #LINES}
 * @param ordered whether the lines have an order, which their colours then reflect
 * @param note remark about the points; empty for none
 */
record LineChart(String title, String across, List<Line> lines, boolean ordered, String note) {

  /** Colours in the style sheet. */
  static final int LINES = 8;

  /** Maximum number of points that a line should have. */
  static final int POINTS = 400;

  private static final int MARKED = 30;
  private static final int HEIGHT = 270;

  /** A point; a value that is not finite leaves a gap. */
  record Point(double at, double value) {

    boolean isNumber() {
      return Double.isFinite(value);
    }
  }

  /**
   * One line.
   *
   * @param points from left to right; at least one
   */
  record Line(String name, List<Point> points) {

    Point first() {
      return points.get(0);
    }

    Point last() {
      return points.get(points.size() - 1);
    }

    private String values() {
      return points.size() == 1
          ? Numbers.measured(first().value())
          : Numbers.measured(first().value()) + " → " + Numbers.measured(last().value());
    }
  }

  Html html() {
    Html html = new Html().open("figure", "class", "chart").element("h3", title);
    html.add(Plot.of(title, alternative(), HEIGHT, this::draw)).open("ul", "class", "legend");
    for (int i = 0; i < lines.size(); i++) {
      html.open("li").open("span", "class", "swatch " + colour(i)).close("span");
      html.text(lines.get(i).name() + " ")
          .element("span", lines.get(i).values(), "class", "values");
      html.close("li");
    }
    html.close("ul");
    if (!note.isEmpty()) {
      html.element("figcaption", note);
    }
    return html.close("figure");
  }

  private void draw(Plot plot) {
    Range horizontal = Range.of(points().filter(Point::isNumber).mapToDouble(Point::at));
    Range vertical = Range.of(points().mapToDouble(Point::value));
    plot.horizontal(across, horizontal, horizontal::wholeLabel);
    plot.vertical(vertical, vertical::label);
    for (int i = 0; i < lines.size(); i++) {
      List<Point> points = lines.get(i).points();
      double[] at = points.stream().mapToDouble(point -> horizontal.place(point.at())).toArray();
      double[] values =
          points.stream()
              .mapToDouble(point -> point.isNumber() ? vertical.place(point.value()) : Double.NaN)
              .toArray();
      if (points.size() <= MARKED) {
        plot.markedLine(at, values, colour(i));
      } else {
        plot.line(at, values, colour(i));
      }
    }
  }

  private Stream<Point> points() {
    return lines.stream().flatMap(line -> line.points().stream());
  }

  /** One of the unordered colours, or of the ordered ones. */
  private String colour(int line) {
    if (!ordered) {
      return "k" + line;
    }
    return "o" + (lines.size() == 1 ? 0 : line * (LINES - 1) / (lines.size() - 1));
  }

  private String alternative() {
    return title
        + ". "
        + lines.stream()
            .map(
                line ->
                    Numbers.format(
                        "%s: %s at %s %s, %s at %s %s",
                        line.name(),
                        Numbers.measured(line.first().value()),
                        across,
                        Numbers.oneDecimal(line.first().at()),
                        Numbers.measured(line.last().value()),
                        across,
                        Numbers.oneDecimal(line.last().at())))
            .collect(Collectors.joining("; "))
        + ".";
  }
}
