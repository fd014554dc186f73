package io.guilomo.spark.report;

import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** What became of the records that the jobs read: how many were truncated, left out or refused. */
final class DataSection implements ReportSection {

  private static final List<String> COLUMNS =
      List.of(
          "job",
          "read",
          "training",
          "validation or scored",
          "truncated",
          "no room for a response",
          "also in validation",
          "unreadable");

  /** Columns of table {@code runs}, one for each of {@link #COLUMNS} except the first. */
  private static final List<String> COUNTS =
      List.of(
          "records",
          "train_records",
          "validation_records",
          "truncated_records",
          "dropped_records",
          "repeated_records",
          "bad_records");

  @Override
  public Optional<Html> of(RunTables tables) {
    List<Row> rows = tables.jobs().stream().filter(row -> row.getAs("records") != null).toList();
    if (rows.isEmpty()) {
      return Optional.empty();
    }
    Html html = ReportSection.begin("Data");
    ReportSection.table(html, "Records of each job", COLUMNS);
    for (Row row : rows) {
      html.open("tr").element("th", row.<String>getAs("job"), "scope", "row");
      for (String count : COUNTS) {
        // Null if an earlier release, which did not count this, wrote the row.
        Long records = row.getAs(count);
        html.element("td", Numbers.count(records == null ? 0 : records));
      }
      html.close("tr");
    }
    html.close("tbody").close("table").close("div");
    for (Row row : rows) {
      String bad = row.getAs("first_bad");
      if (bad != null) {
        html.open("p").text("The first unreadable record of " + row.getAs("job") + ": ");
        html.element("code", bad).close("p");
      }
    }
    return Optional.of(html.close("section"));
  }
}
