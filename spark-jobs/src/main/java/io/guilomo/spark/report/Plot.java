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

/** A chart that XChart lays out, as an image in SVG. */
final class Plot {

  private static final int WIDTH = 480;

  /** That of words on a phone, which need the most room; the style sheet has smaller ones. */
  private static final int FONT_SIZE = 17;

  /** XChart looks for room for longer names without end. */
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
    // That of the axes' names, of which only the horizontal has one.
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
   * The image, or a sentence where Java cannot paint: it has no fonts, or not its own libraries.
   * Charts are not worth the result of a job.
   *
   * @param title what is shown
   * @param alternative what it shows, in words
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
              "This chart is left out: Java cannot paint here (" + e + "). " + alternative,
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

  /** Sets the horizontal axis: its name, its range, and what is written at a place of it. */
  void horizontal(String name, Range range, DoubleFunction<String> label) {
    words.add(name);
    chart.setXAxisTitle(name);
    XYStyler styler = chart.getStyler();
    styler.setXAxisMin(range.low()).setXAxisMax(range.high());
    styler.setXAxisTickLabelsFormattingFunction(labels(range, label));
  }

  /** Sets the vertical axis: its range, and what is written at a place of it. */
  void vertical(Range range, DoubleFunction<String> label) {
    XYStyler styler = chart.getStyler();
    styler.setYAxisMin(range.low()).setYAxisMax(range.high());
    styler.setYAxisTickLabelsFormattingFunction(labels(range, label));
  }

  /** XChart draws no ticks where both ends of an axis have the same label, not even none. */
  private Function<Double, String> labels(Range range, DoubleFunction<String> label) {
    return place -> {
      String word = label.apply(place);
      words.add(word);
      return word.isEmpty() && place >= range.high() ? " " : word;
    };
  }

  /** Sets the vertical axis to names, the first at place 0 and the lowest; long ones are cut. */
  void rows(int count, IntFunction<String> name) {
    // With one more place above and below all have equal distances: XChart gives each its tick.
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

  /** Adds a line whose points are marked. */
  void markedLine(double[] across, double[] up, String styleClass) {
    add(across, up, styleClass).setMarker(SeriesMarkers.CIRCLE);
  }

  private XYSeries add(double[] across, double[] up, String styleClass) {
    XYSeries series =
        chart.addSeries(String.valueOf(chart.getSeriesCollection().size()), across, up);
    series.setLineColor(ChartGraphics.colour(styleClass));
    series.setMarkerColor(ChartGraphics.colour(styleClass));
    return series;
  }
}
