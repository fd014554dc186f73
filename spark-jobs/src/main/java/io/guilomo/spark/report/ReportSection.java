package io.guilomo.spark.report;

import java.util.List;
import java.util.Optional;

/** A section of the report. */
@FunctionalInterface
interface ReportSection {

  /** The section; empty if the run has no rows for it. */
  Optional<Html> of(RunTables tables);

  /** Opens a section. */
  static Html begin(String heading) {
    return new Html().open("section").element("h2", heading);
  }

  /** Writes the header of a table and opens its body; a column may have no name. */
  static void head(Html html, List<String> columns) {
    html.open("thead").open("tr");
    for (String column : columns) {
      if (column.isEmpty()) {
        html.element("td", "");
      } else {
        html.element("th", column, "scope", "col");
      }
    }
    html.close("tr").close("thead").open("tbody");
  }

  /** Opens a section of half the width, if the page has room for two side by side. */
  static Html beginHalf(String heading) {
    return new Html().open("section", "class", "half").element("h2", heading);
  }
}
