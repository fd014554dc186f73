package io.guilomo.spark.report;

import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** What became of the records that the jobs read: which were cut, and which were refused. */
final class DataSection implements Section {

  private static final List<String> COLUMNS =
      List.of(
          "job",
          "read",
          "to learn",
          "held out or scored",
          "cut",
          "no room left",
          "also to validate on",
          "unreadable");

  @Override
  public Optional<Html> of(RunTables tables) {
    List<Row> rows =
        tables.rows(
            "SELECT job, records, train_records, validation_records, truncated_records,"
                + " dropped_records, coalesce(repeated_records, 0), bad_records, first_bad FROM runs WHERE records IS NOT NULL"
                + " ORDER BY started_at");
    if (rows.isEmpty()) {
      return Optional.empty();
    }
    Html html = Section.begin("Data");
    html.open("div", "class", "scroll").open("table").element("caption", "Records of each job");
    Section.head(html, COLUMNS);
    for (Row row : rows) {
      html.open("tr").element("th", row.getString(0), "scope", "row");
      for (int count = 1; count < COLUMNS.size(); count++) {
        html.element("td", Numbers.count(row.getLong(count)));
      }
      html.close("tr");
    }
    html.close("tbody").close("table").close("div");
    for (Row row : rows) {
      if (!row.isNullAt(8)) {
        html.open("p").text("The first unreadable record of " + row.getString(0) + ": ");
        html.element("code", row.getString(8)).close("p");
      }
    }
    return Optional.of(html.close("section"));
  }
}
