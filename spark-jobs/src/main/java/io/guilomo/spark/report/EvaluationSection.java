package io.guilomo.spark.report;

import io.guilomo.spark.table.EvaluationsTable;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** How well the adapter does on records it was not trained on. */
final class EvaluationSection implements ReportSection {

  private static final List<String> COLUMNS =
      List.of("records", "metric", "value", "interval", "examples");

  private record Score(
      String split, String metric, double value, double low, double high, long examples) {

    static Score of(Row row) {
      return new Score(
          row.getAs("split"),
          row.getAs("metric"),
          row.getAs("value"),
          row.getAs("ci_low"),
          row.getAs("ci_high"),
          row.getAs("examples"));
    }
  }

  /** Losses last. */
  private static final Comparator<Score> ORDER =
      Comparator.comparing(Score::split)
          .thenComparing(row -> EvaluationsTable.isLoss(row.metric()))
          .thenComparing(Score::metric);

  @Override
  public Optional<Html> of(RunTables tables) {
    List<Score> rows =
        tables.rows(EvaluationsTable.INSTANCE).stream()
            .map(Score::of)
            .filter(row -> EvaluationsTable.isOfAnswers(row.metric()))
            .sorted(ORDER)
            .toList();
    if (rows.isEmpty()) {
      return Optional.empty();
    }
    Html html = ReportSection.begin("Evaluation");
    shares(rows).ifPresent(chart -> html.add(chart.html()));
    ReportSection.table(html, "Metrics with bootstrap confidence intervals", COLUMNS);
    for (Score row : rows) {
      html.open("tr").element("td", row.split());
      html.element("th", row.metric(), "scope", "row");
      html.element("td", Numbers.measured(row.value()), "class", "number");
      html.element("td", interval(row.low(), row.high()), "class", "number");
      html.element("td", Numbers.count(row.examples()), "class", "number").close("tr");
    }
    return Optional.of(html.close("tbody").close("table").close("div").close("section"));
  }

  /** A chart of the metrics that are shares or correlations, which can have a common axis. */
  private static Optional<IntervalChart> shares(List<Score> rows) {
    boolean one = rows.stream().map(Score::split).distinct().count() == 1;
    List<IntervalChart.Interval> intervals =
        rows.stream()
            .filter(row -> !EvaluationsTable.isLoss(row.metric()))
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
                "Metrics with bootstrap confidence intervals",
                "value",
                intervals,
                List.of(0.0, 1.0)));
  }

  private static String interval(double low, double high) {
    return "[" + Numbers.measured(low) + ", " + Numbers.measured(high) + "]";
  }
}
