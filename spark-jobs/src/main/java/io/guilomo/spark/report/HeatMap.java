package io.guilomo.spark.report;

import java.util.List;
import java.util.function.DoubleFunction;
import java.util.stream.IntStream;

/**
 * A table of numbers by layer and module; the larger a number, the stronger its background.
 *
 * @param caption what the numbers are
 * @param format formats a number
 * @param margin totals or means of the layers and the modules; null for none
 */
record HeatMap(String caption, Grid grid, DoubleFunction<String> format, Margin margin) {

  /** Backgrounds in the style sheet. */
  private static final int SHADES = 7;

  /**
   * The last column and the last row.
   *
   * @param column heading of the column
   * @param row heading of the row
   * @param layers one number per layer, shown with a bar
   * @param modules one number per module
   * @param all the corner
   */
  record Margin(String column, String row, List<Double> layers, List<Double> modules, String all) {}

  Html html() {
    Html html = new Html().open("figure", "class", "heat");
    html.open("div", "class", "scroll", "tabindex", "0", "role", "group", "aria-label", caption);
    html.open("table").element("caption", caption);
    html.open("thead").open("tr").element("th", "layer", "scope", "col");
    grid.modules().forEach(module -> module(html, module));
    if (margin != null) {
      html.element("th", margin.column(), "scope", "col", "class", "margin");
    }
    html.close("tr").close("thead").open("tbody");
    for (int layer = 0; layer < grid.layers().size(); layer++) {
      layer(html, layer);
    }
    html.close("tbody");
    if (margin != null) {
      foot(html);
    }
    html.close("table").close("div");
    return legend(html).close("figure");
  }

  /** A heading that may break after an underscore. */
  private static void module(Html html, String module) {
    html.open("th", "scope", "col");
    for (String part : module.split("(?<=_)", -1)) {
      html.text(part).open("wbr");
    }
    html.close("th");
  }

  private void layer(Html html, int layer) {
    html.open("tr").element("th", String.valueOf(grid.layers().get(layer)), "scope", "row");
    for (double value : grid.values()[layer]) {
      if (Double.isNaN(value)) {
        html.element("td", "–");
      } else {
        html.element("td", format.apply(value), "class", "h" + shade(value));
      }
    }
    if (margin != null) {
      double value = margin.layers().get(layer);
      double most = margin.layers().stream().mapToDouble(Double::doubleValue).max().orElse(1);
      html.open("td", "class", "margin").element("span", format.apply(value));
      html.bar(value / most).close("td");
    }
    html.close("tr");
  }

  private void foot(Html html) {
    html.open("tfoot").open("tr").element("th", margin.row(), "scope", "row");
    margin.modules().forEach(value -> html.element("td", format.apply(value)));
    html.element("td", margin.all(), "class", "margin").close("tr").close("tfoot");
  }

  private Html legend(Html html) {
    html.open("figcaption", "class", "shades");
    html.element("span", format.apply(grid.least()));
    IntStream.range(0, SHADES)
        .forEach(shade -> html.open("span", "class", "shade h" + shade).close("span"));
    return html.element("span", format.apply(grid.most())).close("figcaption");
  }

  private int shade(double value) {
    double range = grid.most() - grid.least();
    return range == 0
        ? SHADES / 2
        : (int) Math.min(SHADES - 1, SHADES * (value - grid.least()) / range);
  }
}
