package io.guilomo.spark.report;

import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Lines over a common horizontal axis, as an image in SVG that takes its colours from the style
 * sheet, with a legend that tells where each line begins and ends.
 *
 * @param title what is shown
 * @param across what the horizontal axis counts
 * @param lines at most {@link #LINES}
 * @param ordered whether the lines have an order, which their colours then show
 * @param note what a reader has to know about the points; empty for nothing
 */
record LineChart(String title, String across, List<Line> lines, boolean ordered, String note) {

  /** Colours in the style sheet. */
  static final int LINES = 8;

  /** Points that a line should have at most. */
  static final int POINTS = 400;

  private static final int MARKED = 30;
  private static final double WIDTH = 560;
  private static final double HEIGHT = 300;
  private static final double LEFT = 58;
  private static final double RIGHT = WIDTH - 14;
  private static final double TOP = 12;
  private static final double BOTTOM = HEIGHT - 46;

  /** A point; one whose value is no number leaves a gap. */
  record Point(double at, double value) {}

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
    svg(html).open("ul", "class", "legend");
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

  private Html svg(Html html) {
    Axis horizontal = axis(Point::at, 6).whole();
    Axis vertical = axis(Point::value, 5);
    html.open(
        "svg",
        "viewBox",
        Numbers.format("0 0 %.0f %.0f", WIDTH, HEIGHT),
        "role",
        "img",
        "aria-label",
        alternative());
    html.element("title", title);
    for (double tick : vertical.ticks()) {
      double y = y(vertical, tick);
      html.open("path", "class", "grid", "d", Numbers.format("M%.1f %.1fH%.1f", LEFT, y, RIGHT));
      html.close("path");
      label(html, vertical.label(tick), LEFT - 7, y + 5, "end");
    }
    for (double tick : horizontal.ticks()) {
      double x = x(horizontal, tick);
      html.open("path", "class", "tick", "d", Numbers.format("M%.1f %.1fv5", x, BOTTOM));
      html.close("path");
      label(html, horizontal.label(tick), x, BOTTOM + 20, "middle");
    }
    label(html, across, (LEFT + RIGHT) / 2, HEIGHT - 6, "middle");
    for (int i = 0; i < lines.size(); i++) {
      line(html, lines.get(i), colour(i), horizontal, vertical);
    }
    return html.close("svg");
  }

  private static void label(Html html, String words, double x, double y, String anchor) {
    html.element(
        "text",
        words,
        "x",
        Numbers.format("%.1f", x),
        "y",
        Numbers.format("%.1f", y),
        "text-anchor",
        anchor);
  }

  private void line(Html html, Line line, String colour, Axis horizontal, Axis vertical) {
    StringBuilder path = new StringBuilder();
    StringBuilder marks = new StringBuilder();
    char command = 'M';
    for (Point point : line.points()) {
      if (!Double.isFinite(point.value())) {
        command = 'M';
        continue;
      }
      double x = x(horizontal, point.at());
      double y = y(vertical, point.value());
      path.append(Numbers.format("%c%.1f %.1f", command, x, y));
      marks.append(Numbers.format("M%.1f %.1fh0", x, y));
      command = 'L';
    }
    html.open("path", "class", "line " + colour, "d", path.toString()).close("path");
    if (line.points().size() <= MARKED) {
      html.open("path", "class", "marks " + colour, "d", marks.toString()).close("path");
    }
  }

  private Axis axis(ToDoubleFunction<Point> coordinate, int ticks) {
    double[] values =
        lines.stream()
            .flatMap(line -> line.points().stream())
            .filter(point -> Double.isFinite(point.value()))
            .mapToDouble(coordinate)
            .sorted()
            .toArray();
    return values.length == 0
        ? Axis.of(0, 1, ticks)
        : Axis.of(values[0], values[values.length - 1], ticks);
  }

  private static double x(Axis axis, double at) {
    return LEFT + axis.share(at) * (RIGHT - LEFT);
  }

  private static double y(Axis axis, double value) {
    return BOTTOM - axis.share(value) * (BOTTOM - TOP);
  }

  /** One of the colours of kinds, or of those from first to last. */
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
