package io.guilomo.spark.report;

import io.guilomo.spark.table.RunsTable;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** The jobs of the run, and how they ended. */
final class JobsSection implements ReportSection {

  private static final List<String> COLUMNS =
      List.of("job", "status", "started", "took", "seed", "strategy", "workers", "release");

  @Override
  public Optional<Html> of(RunTables tables) {
    List<Row> rows = tables.jobs();
    if (rows.isEmpty()) {
      return Optional.empty();
    }
    Html html = ReportSection.begin("Jobs");
    ReportSection.table(html, "Jobs of this run", COLUMNS);
    rows.forEach(row -> line(html, row));
    html.close("tbody").close("table").close("div").open("dl");
    Row last = rows.get(rows.size() - 1);
    rows.stream()
        .map(row -> row.<String>getAs("backbone"))
        .filter(path -> path != null && !path.isBlank())
        .reduce((earlier, later) -> later)
        .ifPresent(path -> fact(html, "Model", path));
    rows.stream()
        .map(row -> row.<String>getAs("backbone_digest"))
        .filter(digest -> digest != null && !digest.isEmpty())
        .findFirst()
        .ifPresent(digest -> fact(html, "SHA-256 of its tensors", digest));
    fact(html, "Training records", last.getAs("dataset"));
    return Optional.of(html.close("dl").close("section"));
  }

  private static void fact(Html html, String name, String code) {
    html.element("dt", name).open("dd").element("code", code).close("dd");
  }

  private static void line(Html html, Row row) {
    String status = row.getAs("status");
    Timestamp began = row.getAs("started_at");
    Timestamp ended = row.getAs("finished_at");
    html.open("tr").element("th", row.<String>getAs("job"), "scope", "row");
    html.element("td", status, "class", status.equals(RunsTable.SUCCEEDED) ? "" : "unwell");
    html.element("td", Numbers.time(began.toInstant()));
    html.element(
        "td",
        ended == null
            ? "–"
            : Numbers.duration(Duration.between(began.toInstant(), ended.toInstant())));
    html.element("td", String.valueOf(row.<Long>getAs("seed")));
    html.element("td", row.<String>getAs("strategy").replace(",", ", "));
    html.element("td", Numbers.count(row.<Long>getAs("workers")));
    html.element("td", row.<String>getAs("version")).close("tr");
  }
}
