package io.guilomo.spark.report;

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

  /** Begins a part that is half as wide as the page, where that has room for two. */
  static Html beginHalf(String heading) {
    return new Html().open("section", "class", "half").element("h2", heading);
  }
}
