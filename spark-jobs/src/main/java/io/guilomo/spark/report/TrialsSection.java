package io.guilomo.spark.report;

import io.guilomo.spark.table.ComparisonTable;
import java.util.List;
import java.util.Optional;

/** The runs of a comparison, with links to their reports. */
final class TrialsSection implements ReportSection {

  @Override
  public Optional<Html> of(RunTables tables) {
    if (tables.rows(ComparisonTable.INSTANCE).isEmpty()) {
      return Optional.empty();
    }
    List<String> runs = tables.trials();
    if (runs.isEmpty()) {
      return Optional.empty();
    }
    Html html = ReportSection.begin("Runs of the comparison").open("ul", "class", "runs");
    for (String run : runs) {
      html.open("li").element("a", run, "href", "../" + run + "/report.html").close("li");
    }
    return Optional.of(html.close("ul").close("section"));
  }
}
