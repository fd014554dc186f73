package io.guilomo.spark.report;

import java.util.List;
import java.util.Optional;

/** A part of a report about one thing. */
@FunctionalInterface
interface Section {

  /** The part, unless the run has no rows about it. */
  Optional<Html> of(RunTables tables);

  /** Begins a part. */
  static Html begin(String heading) {
    return new Html().open("section").element("h2", heading);
  }

  /** The first row of a table, and the beginning of the others; a column may have no name. */
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

  /** Begins a part that is half as wide as the page, where that has room for two. */
  static Html beginHalf(String heading) {
    return new Html().open("section", "class", "half").element("h2", heading);
  }
}
