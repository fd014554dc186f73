package io.guilomo.spark.report;

import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** How well the adapter does on records that it did not learn from. */
final class EvaluationSection implements Section {

  private static final List<String> COLUMNS =
      List.of("records", "metric", "value", "interval", "examples");

  @Override
  public Optional<Html> of(RunTables tables) {
    List<Row> rows =
        tables.rows(
            "SELECT split, metric, value, ci_low, ci_high, examples FROM evaluations"
                + " ORDER BY split, metric = 'loss', metric");
    if (rows.isEmpty()) {
      return Optional.empty();
    }
    Html html = Section.begin("Evaluation");
    shares(rows).ifPresent(chart -> html.add(chart.html()));
    html.open("div", "class", "scroll").open("table");
    html.element("caption", "Metrics, with bootstrapped intervals");
    Section.head(html, COLUMNS);
    for (Row row : rows) {
      html.open("tr").element("td", row.getString(0));
      html.element("th", row.getString(1), "scope", "row");
      html.element("td", Numbers.measured(row.getDouble(2)), "class", "number");
      html.element("td", interval(row.getDouble(3), row.getDouble(4)), "class", "number");
      html.element("td", Numbers.count(row.getLong(5)), "class", "number").close("tr");
    }
    return Optional.of(html.close("tbody").close("table").close("div").close("section"));
  }

  /** The metrics that are shares or correlations, and so have a common axis. */
  private static Optional<IntervalChart> shares(List<Row> rows) {
    boolean one = rows.stream().map(row -> row.getString(0)).distinct().count() == 1;
    List<IntervalChart.Interval> intervals =
        rows.stream()
            .filter(row -> row.getDouble(3) >= -1 && row.getDouble(4) <= 1)
            .map(
                row ->
                    new IntervalChart.Interval(
                        one ? row.getString(1) : row.getString(1) + ", " + row.getString(0),
                        row.getDouble(3),
                        row.getDouble(2),
                        row.getDouble(4)))
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
