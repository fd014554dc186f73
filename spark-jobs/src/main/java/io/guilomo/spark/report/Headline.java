package io.guilomo.spark.report;

import io.guilomo.spark.table.EvaluationsTable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** What a run found, in a few sentences, the most important first. */
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
    tables
        .selection()
        .map(history -> ChangedChoices.of(history).sentence())
        .ifPresent(sentences::add);
    score(tables).ifPresent(sentences::add);
    Html html = new Html();
    for (Row job : tables.jobs()) {
      String status = job.getAs("status");
      if (status.equals("SUCCEEDED")) {
        continue;
      }
      String end = status.equals("RUNNING") ? "had not finished" : "had failed";
      html.element(
          "p",
          Numbers.format("Job %s %s when this was written.", job.<String>getAs("job"), end),
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
    return tables.rows(EvaluationsTable.INSTANCE).stream()
        .filter(row -> !row.getAs("metric").equals("loss"))
        .min(Comparator.comparing(row -> row.<String>getAs("metric")))
        .map(Headline::score);
  }

  private static String score(Row row) {
    return Numbers.format(
        "Evaluated on %s records: %s %s [%s, %s].",
        Numbers.count(row.<Long>getAs("examples")),
        row.<String>getAs("metric"),
        Numbers.measured(row.<Double>getAs("value")),
        Numbers.measured(row.<Double>getAs("ci_low")),
        Numbers.measured(row.<Double>getAs("ci_high")));
  }
}
