package io.guilomo.spark.report;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** How many experts have which rank. */
final class RankSection implements Section {

  @Override
  public Optional<Html> of(RunTables tables) {
    return Allocation.of(tables)
        .map(
            allocation ->
                tables.rows(
                    "SELECT rank, experts, share FROM rank_distribution"
                        + " WHERE strategy = :strategy AND seed = :seed ORDER BY rank",
                    Map.of("strategy", allocation.strategy(), "seed", allocation.seed())))
        .filter(rows -> !rows.isEmpty())
        .map(RankSection::html);
  }

  private static Html html(List<Row> rows) {
    double most = rows.stream().mapToDouble(row -> row.getDouble(2)).max().orElseThrow();
    Html html = Section.beginHalf("Distribution of the ranks");
    html.open("div", "class", "scroll").open("table", "class", "bars");
    html.element("caption", "Experts of each rank");
    Section.head(html, List.of("rank", "experts", "share"));
    for (Row row : rows) {
      html.open("tr").element("th", String.valueOf(row.getInt(0)), "scope", "row");
      html.element("td", Numbers.count(row.getLong(1))).open("td");
      html.element("span", Numbers.percent(row.getDouble(2)));
      html.bar(row.getDouble(2) / most).close("td").close("tr");
    }
    return html.close("tbody").close("table").close("div").close("section");
  }
}
