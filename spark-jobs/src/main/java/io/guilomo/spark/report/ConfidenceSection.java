package io.guilomo.spark.report;

import io.guilomo.metric.Metric;
import io.guilomo.metric.Reliability;
import io.guilomo.metric.Scored;
import io.guilomo.spark.report.LineChart.Line;
import io.guilomo.spark.report.LineChart.Point;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.RecordScoresTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.spark.sql.Row;

/** What the probabilities of an evaluation's answers are worth. */
final class ConfidenceSection implements ReportSection {

  private static final int RIGHT = 1;
  private static final String NOTHING = "–";

  private static final List<String> COLUMNS =
      List.of("metric", "value", "interval", "one adapter", "difference", "interval");

  @Override
  public Optional<Html> of(RunTables tables) {
    Map<String, Row> rows = new LinkedHashMap<>();
    tables.rows(EvaluationsTable.INSTANCE).forEach(row -> rows.put(row.getAs("metric"), row));
    if (rows.keySet().stream().noneMatch(name -> name.endsWith(Metric.CALIBRATION_ERROR.label()))) {
      return Optional.empty();
    }
    Html html = ReportSection.begin("Confidence");
    html.element(
        "p",
        "How often answers are right that the model is so sure of; on the line of calibration"
            + " that often. accuracy-at-50 is the accuracy on the half of the records that it is"
            + " surest of; out-of-domain-auroc is how likely a record of the domain has the higher"
            + " probability of its answer.");
    html.add(reliability(tables.rows(RecordScoresTable.INSTANCE)));
    ReportSection.table(html, "Metrics, and how they differ from one adapter's", COLUMNS);
    rows.forEach(
        (name, row) -> {
          if (EvaluationsTable.isOfAnswers(name)) {
            html.open("tr").element("th", name, "scope", "row");
            measured(html, row);
            Row single = rows.get(EvaluationsTable.SINGLE + name);
            number(html, single == null ? NOTHING : Numbers.measured(single.getAs("value")));
            measured(html, rows.get(EvaluationsTable.DIFFERENCE + name));
            html.close("tr");
          }
        });
    return Optional.of(html.close("tbody").close("table").close("div").close("section"));
  }

  /**
   * @param row null for none
   */
  private static void measured(Html html, Row row) {
    number(html, row == null ? NOTHING : Numbers.measured(row.getAs("value")));
    number(
        html,
        row == null
            ? NOTHING
            : "["
                + Numbers.measured(row.getAs("ci_low"))
                + ", "
                + Numbers.measured(row.getAs("ci_high"))
                + "]");
  }

  private static void number(Html html, String text) {
    html.element("td", text, "class", "number");
  }

  /** Accuracy over confidence, in per cent, of every way in which the records were answered. */
  private static Html reliability(List<Row> rows) {
    Map<String, List<Scored>> scored = new TreeMap<>();
    for (Row row : rows) {
      Boolean correct = row.getAs("correct");
      Double confidence = row.getAs("confidence");
      if (correct != null && confidence != null) {
        scored
            .computeIfAbsent(row.getAs("method"), method -> new ArrayList<>())
            .add(new Scored(RIGHT, correct ? RIGHT : Scored.UNANSWERED, Double.NaN, confidence));
      }
    }
    if (scored.isEmpty()) {
      return new Html();
    }
    List<Line> lines = new ArrayList<>();
    scored.forEach(
        (method, own) ->
            lines.add(
                new Line(
                    method,
                    Reliability.of(own).stream()
                        .map(bin -> new Point(100 * bin.confidence(), 100 * bin.accuracy()))
                        .toList())));
    lines.add(new Line("calibration", List.of(new Point(0, 0), new Point(100, 100))));
    return new LineChart(
            "Accuracy over confidence, in per cent",
            "confidence",
            lines,
            /* ordered= */ false,
            "Bins of %d per cent.".formatted(100 / Reliability.BINS))
        .html();
  }
}
