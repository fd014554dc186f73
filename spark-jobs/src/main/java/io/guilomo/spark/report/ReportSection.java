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

  /** Opens a table, writes its header and opens its body. */
  static void table(Html html, String caption, List<String> columns, String... attributes) {
    html.open("div", "class", "scroll").open("table", attributes).element("caption", caption);
    html.open("thead").open("tr");
    columns.forEach(column -> html.element("th", column, "scope", "col"));
    html.close("tr").close("thead").open("tbody");
  }

  /** Opens a section of half the width, if the page has room for two side by side. */
  static Html beginHalf(String heading) {
    return new Html().open("section", "class", "half").element("h2", heading);
  }
}
