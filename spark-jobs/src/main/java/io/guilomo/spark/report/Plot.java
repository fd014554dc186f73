package io.guilomo.spark.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** An SVG image of a chart that XChart lays out. */
final class Plot {

  private static final int WIDTH = 480;

  /** The size on a phone, where text needs most room; the style sheet has smaller sizes. */
  private static final int FONT_SIZE = 17;

  /** XChart never finishes looking for room for longer names. */
  private static final int NAME_LENGTH = 20;

  private static final Color NOTHING = new Color(0, 0, 0, 0);

  private final XYChart chart;
  private final Set<String> words = new LinkedHashSet<>();

  private Plot(int height) {
    this.chart = new XYChart(WIDTH, height);
    XYStyler styler = chart.getStyler();
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, FONT_SIZE);
    styler.setAxisTickLabelsFont(font).setAxisTitleFont(font);
    styler.setXAxisTickLabelsColor(ChartGraphics.colour(ChartGraphics.ACROSS));
    styler.setYAxisTickLabelsColor(ChartGraphics.colour(ChartGraphics.UP));
    // The colour of axis titles, which only the horizontal axis has.
    styler.setChartFontColor(ChartGraphics.colour(ChartGraphics.ACROSS));
    styler.setYAxisLabelAlignment(AxesChartStyler.TextAlignment.Right);
    styler.setPlotGridLinesColor(ChartGraphics.colour("grid"));
    styler.setPlotGridLinesStroke(new BasicStroke(1));
    styler.setPlotGridVerticalLinesVisible(false).setAxisTicksMarksVisible(false);
    styler.setAxisTicksLineVisible(false).setPlotMargin(0);
    styler.setPlotContentSize(1).setPlotBorderVisible(false).setPlotBackgroundColor(NOTHING);
    styler.setChartBackgroundColor(NOTHING).setChartTitleVisible(false).setLegendVisible(false);
    styler.setChartPadding(8).setMarkerSize(7);
    styler.setXAxisTickMarkSpacingHint(70).setYAxisTickMarkSpacingHint(40);
  }

  /**
   * The image, or a sentence if Java cannot paint because fonts or its graphics libraries are
   * missing: a job must not fail because of a chart.
   *
   * @param title what is shown
   * @param alternative the content in words
   * @param height in units of which the image is 480 wide
   * @param drawing draws all lines
   */
  static Html of(String title, String alternative, int height, Consumer<Plot> drawing) {
    Html painted;
    try {
      Plot plot = new Plot(height);
      drawing.accept(plot);
      ChartGraphics graphics = new ChartGraphics(plot.words);
      plot.chart.paint(graphics, WIDTH, height);
      painted = graphics.html();
    } catch (OutOfMemoryError e) {
      throw e;
    } catch (RuntimeException | Error e) {
      return new Html()
          .element(
              "p",
              "This chart is missing because Java cannot paint here (" + e + "). " + alternative,
              "class",
              "unpainted");
    }
    return new Html()
        .open(
            "svg",
            "viewBox",
            Numbers.format("0 0 %d %d", WIDTH, height),
            "role",
            "img",
            "aria-label",
            alternative)
        .element("title", title)
        .add(painted)
        .close("svg");
  }

  /** Sets the title, the range and the tick labels of the horizontal axis. */
  void horizontal(String name, Range range, DoubleFunction<String> label) {
    words.add(name);
    chart.setXAxisTitle(name);
    XYStyler styler = chart.getStyler();
    styler.setXAxisMin(range.low()).setXAxisMax(range.high());
    styler.setXAxisTickLabelsFormattingFunction(labels(range, label));
  }

  /** Sets the range and the tick labels of the vertical axis. */
  void vertical(Range range, DoubleFunction<String> label) {
    XYStyler styler = chart.getStyler();
    styler.setYAxisMin(range.low()).setYAxisMax(range.high());
    styler.setYAxisTickLabelsFormattingFunction(labels(range, label));
  }

  /** XChart draws no ticks if both ends of an axis have the same label, even an empty one. */
  private Function<Double, String> labels(Range range, DoubleFunction<String> label) {
    return place -> {
      String word = label.apply(place);
      words.add(word);
      return word.isEmpty() && place >= range.high() ? " " : word;
    };
  }

  /**
   * Labels the vertical axis with names, the first at the bottom, at 0; long names are truncated.
   */
  void rows(int count, IntFunction<String> name) {
    // With one more place at either end, distances are equal and XChart gives each place a tick.
    vertical(
        new Range(-1, count, 0),
        place -> place < 0 || place > count - 1 ? "" : cut(name.apply((int) Math.round(place))));
    XYStyler styler = chart.getStyler();
    styler.setPlotGridVerticalLinesVisible(true).setPlotGridHorizontalLinesVisible(false);
    styler.setMarkerSize(10);
  }

  private static String cut(String name) {
    return name.length() <= NAME_LENGTH ? name : name.substring(0, NAME_LENGTH - 1) + "…";
  }

  /** Adds a line in the colour of a class of the style sheet. */
  void line(double[] across, double[] up, String styleClass) {
    add(across, up, styleClass).setMarker(SeriesMarkers.NONE);
  }

  /** Adds a line with markers at its points. */
  void markedLine(double[] across, double[] up, String styleClass) {
    add(across, up, styleClass).setMarker(SeriesMarkers.CIRCLE);
  }

  /** The same with diamonds. */
  void diamondLine(double[] across, double[] up, String styleClass) {
    add(across, up, styleClass).setMarker(SeriesMarkers.DIAMOND);
  }

  private XYSeries add(double[] across, double[] up, String styleClass) {
    XYSeries series =
        chart.addSeries(String.valueOf(chart.getSeriesCollection().size()), across, up);
    series.setLineColor(ChartGraphics.colour(styleClass));
    series.setMarkerColor(ChartGraphics.colour(styleClass));
    return series;
  }
}
