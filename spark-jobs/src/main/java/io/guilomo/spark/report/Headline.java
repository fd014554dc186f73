package io.guilomo.spark.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** What a run found, in some sentences, the most important first. */
final class Headline {

  private Headline() {}

  static Html of(RunTables tables) {
    List<String> sentences = new ArrayList<>();
    ComparisonSection.verdict(tables).ifPresent(sentences::add);
    ComparisonSection.means(tables).ifPresent(sentences::add);
    Allocation.of(tables)
        .map(Findings::new)
        .ifPresent(
            findings -> {
              sentences.add(findings.experts());
              sentences.add(findings.ranks());
            });
    ChangedChoices.of(tables).map(ChangedChoices::sentence).ifPresent(sentences::add);
    score(tables).ifPresent(sentences::add);
    Html html = new Html();
    for (Row row : tables.rows("SELECT job, status FROM runs WHERE status <> 'SUCCEEDED'")) {
      String end = row.getString(1).equals("RUNNING") ? "had not ended" : "had failed";
      html.element(
          "p",
          Numbers.format("Job %s %s when this was written.", row.getString(0), end),
          "class",
          "unwell");
    }
    for (int i = 0; i < sentences.size(); i++) {
      html.element("p", sentences.get(i), "class", i == 0 ? "finding" : "finding lesser");
    }
    return html;
  }

  /** The first metric that is not a loss. */
  private static Optional<String> score(RunTables tables) {
    return tables
        .rows(
            "SELECT metric, value, ci_low, ci_high, examples FROM evaluations WHERE metric <> 'loss'"
                + " ORDER BY metric LIMIT 1")
        .stream()
        .findFirst()
        .map(Headline::score);
  }

  private static String score(Row row) {
    return Numbers.format(
        "Evaluated on %s records: %s %s [%s, %s].",
        Numbers.count(row.getLong(4)),
        row.getString(0),
        Numbers.measured(row.getDouble(1)),
        Numbers.measured(row.getDouble(2)),
        Numbers.measured(row.getDouble(3)));
  }
}
