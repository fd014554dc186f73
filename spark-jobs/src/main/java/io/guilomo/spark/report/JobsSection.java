package io.guilomo.spark.report;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** Which jobs of the run there were, and how they ended. */
final class JobsSection implements Section {

  private static final List<String> COLUMNS =
      List.of("job", "ended", "began", "took", "seed", "strategy", "workers", "release");

  @Override
  public Optional<Html> of(RunTables tables) {
    List<Row> rows =
        tables.rows(
            "SELECT job, status, unix_micros(started_at), unix_micros(finished_at), seed, strategy,"
                + " workers, version, backbone, backbone_digest, dataset FROM runs ORDER BY started_at");
    if (rows.isEmpty()) {
      return Optional.empty();
    }
    Html html = Section.begin("Jobs");
    html.open("div", "class", "scroll").open("table").element("caption", "Jobs of this run");
    Section.head(html, COLUMNS);
    rows.forEach(row -> line(html, row));
    html.close("tbody").close("table").close("div").open("dl");
    Row last = rows.get(rows.size() - 1);
    html.element("dt", "Model").open("dd").element("code", last.getString(8)).close("dd");
    rows.stream()
        .map(row -> row.getString(9))
        .filter(digest -> digest != null && !digest.isEmpty())
        .findFirst()
        .ifPresent(
            digest ->
                html.element("dt", "Digest of its tensors (sha256)")
                    .open("dd")
                    .element("code", digest)
                    .close("dd"));
    html.element("dt", "Training records").open("dd").element("code", last.getString(10));
    return Optional.of(html.close("dd").close("dl").close("section"));
  }

  private static void line(Html html, Row row) {
    String status = row.getString(1);
    html.open("tr").element("th", row.getString(0), "scope", "row");
    html.element("td", status, "class", status.equals("SUCCEEDED") ? "" : "unwell");
    html.element("td", Numbers.time(instant(row.getLong(2))));
    html.element(
        "td",
        row.isNullAt(3)
            ? "–"
            : Numbers.duration(Duration.between(instant(row.getLong(2)), instant(row.getLong(3)))));
    html.element("td", String.valueOf(row.getLong(4)));
    html.element("td", row.getString(5).replace(",", ", "));
    html.element("td", Numbers.count(row.getLong(6)));
    html.element("td", row.getString(7)).close("tr");
  }

  private static Instant instant(long microseconds) {
    return Instant.EPOCH.plusNanos(Math.multiplyExact(microseconds, 1000L));
  }
}
