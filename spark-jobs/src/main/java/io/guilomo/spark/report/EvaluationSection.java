package io.guilomo.spark.report;

import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** How well the adapter does on records that it did not learn from. */
final class EvaluationSection implements Section {

  private static final List<String> COLUMNS =
      List.of("records", "metric", "value", "interval", "", "examples");

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
    html.open("div", "class", "scroll").open("table");
    html.element("caption", "Metrics, with bootstrapped intervals");
    Section.head(html, COLUMNS);
    for (Row row : rows) {
      double low = row.getDouble(3);
      double high = row.getDouble(4);
      html.open("tr").element("td", row.getString(0));
      html.element("th", row.getString(1), "scope", "row");
      html.element("td", Numbers.measured(row.getDouble(2)), "class", "number");
      html.element("td", interval(low, high), "class", "number").open("td");
      // Beyond 1 it is no share of the records.
      if (low >= -1 && high <= 1) {
        Axis axis = new Axis(low < 0 ? -1 : 0, 1, 1);
        html.add(new IntervalBar(axis, low, row.getDouble(2), high, Double.NaN).html());
      }
      html.close("td").element("td", Numbers.count(row.getLong(5)), "class", "number").close("tr");
    }
    return Optional.of(html.close("tbody").close("table").close("div").close("section"));
  }

  private static String interval(double low, double high) {
    return "[" + Numbers.measured(low) + ", " + Numbers.measured(high) + "]";
  }
}
