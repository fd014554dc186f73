package io.guilomo.spark.report;

import io.guilomo.spark.table.EvaluationsTable;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** How well the adapter does on records that it did not learn from. */
final class EvaluationSection implements Section {

  private static final List<String> COLUMNS =
      List.of("records", "metric", "value", "interval", "examples");

  private record Measured(
      String split, String metric, double value, double low, double high, long examples) {

    static Measured of(Row row) {
      return new Measured(
          row.getAs("split"),
          row.getAs("metric"),
          row.getAs("value"),
          row.getAs("ci_low"),
          row.getAs("ci_high"),
          row.getAs("examples"));
    }
  }

  /** Losses last. */
  private static final Comparator<Measured> ORDER =
      Comparator.comparing(Measured::split)
          .thenComparing(row -> row.metric().equals("loss"))
          .thenComparing(Measured::metric);

  @Override
  public Optional<Html> of(RunTables tables) {
    List<Measured> rows =
        tables.rows(EvaluationsTable.INSTANCE).stream().map(Measured::of).sorted(ORDER).toList();
    if (rows.isEmpty()) {
      return Optional.empty();
    }
    Html html = Section.begin("Evaluation");
    shares(rows).ifPresent(chart -> html.add(chart.html()));
    html.open("div", "class", "scroll").open("table");
    html.element("caption", "Metrics, with bootstrapped intervals");
    Section.head(html, COLUMNS);
    for (Measured row : rows) {
      html.open("tr").element("td", row.split());
      html.element("th", row.metric(), "scope", "row");
      html.element("td", Numbers.measured(row.value()), "class", "number");
      html.element("td", interval(row.low(), row.high()), "class", "number");
      html.element("td", Numbers.count(row.examples()), "class", "number").close("tr");
    }
    return Optional.of(html.close("tbody").close("table").close("div").close("section"));
  }

  /** The metrics that are shares or correlations, and so have a common axis. */
  private static Optional<IntervalChart> shares(List<Measured> rows) {
    boolean one = rows.stream().map(Measured::split).distinct().count() == 1;
    List<IntervalChart.Interval> intervals =
        rows.stream()
            .filter(row -> row.low() >= -1 && row.high() <= 1)
            .map(
                row ->
                    new IntervalChart.Interval(
                        one ? row.metric() : row.metric() + ", " + row.split(),
                        row.low(),
                        row.value(),
                        row.high()))
            .toList();
    return intervals.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new IntervalChart(
                "Metrics with bootstrapped intervals", "value", intervals, List.of(0.0, 1.0)));
  }

  private static String interval(double low, double high) {
    return "[" + Numbers.measured(low) + ", " + Numbers.measured(high) + "]";
  }
}
