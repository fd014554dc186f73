package io.guilomo.spark.report;

import io.guilomo.spark.table.PlanExpertsTable;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** How many experts have which rank. */
final class RankSection implements ReportSection {

  @Override
  public Optional<Html> of(RunTables tables) {
    return Allocation.of(tables)
        .map(allocation -> experts(tables, allocation))
        .filter(experts -> !experts.isEmpty())
        .map(RankSection::html);
  }

  /** How many experts of each rank the plan has. */
  private static SortedMap<Integer, Long> experts(RunTables tables, Allocation allocation) {
    return tables.rows(PlanExpertsTable.INSTANCE).stream()
        .filter(row -> row.getAs("strategy").equals(allocation.strategy()))
        .filter(row -> row.<Long>getAs("seed") == allocation.seed())
        .collect(
            Collectors.groupingBy(
                row -> row.<Integer>getAs("rank"), TreeMap::new, Collectors.counting()));
  }

  private static Html html(SortedMap<Integer, Long> experts) {
    double all = experts.values().stream().mapToLong(count -> count).sum();
    double most = Collections.max(experts.values());
    Html html = ReportSection.beginHalf("Distribution of ranks");
    ReportSection.table(
        html, "Experts by rank", List.of("rank", "experts", "share"), "class", "bars");
    experts.forEach(
        (rank, count) -> {
          html.open("tr").element("th", String.valueOf(rank), "scope", "row");
          html.element("td", Numbers.count(count)).open("td");
          html.element("span", Numbers.percent(count / all));
          html.bar(count / most).close("td").close("tr");
        });
    return html.close("tbody").close("table").close("div").close("section");
  }
}
