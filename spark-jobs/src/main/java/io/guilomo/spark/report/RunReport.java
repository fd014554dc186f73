package io.guilomo.spark.report;

import io.guilomo.model.UserException;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.RunsTable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * What the tables say about one run, as one self-contained HTML page: it needs no network, no
 * script and no other file.
 */
public final class RunReport {

  private static final List<ReportSection> SECTIONS =
      List.of(
          new AllocationSection(),
          new RankSection(),
          new ParametersSection(),
          new ComparisonSection(),
          new EvaluationSection(),
          new ConfidenceSection(),
          new AgreementSection(),
          new SelectionSection(),
          new CurvesSection(),
          new LoadSection(),
          new DataSection(),
          new JobsSection(),
          new SettingsSection());

  private RunReport() {}

  /**
   * The page. Sections for which the run has no rows are left out.
   *
   * @throws UserException if the directory has no rows of the run
   */
  public static String html(SparkSession spark, String outputDir, String runId) {
    return html(new RunTables(spark, outputDir, runId, RunTables.FEW), outputDir, runId);
  }

  static String html(RunTables tables, String outputDir, String runId) {
    if (tables.jobs().isEmpty()) {
      throw new UserException(
          "Cannot report on run %s: %s/tables/runs has no row of it", runId, outputDir);
    }
    Html body = new Html();
    for (ReportSection section : SECTIONS) {
      section.of(tables).ifPresent(body::add);
    }
    Html html = new Html().raw("<!DOCTYPE html>\n").open("html", "lang", "en").open("head");
    html.raw("<meta charset=\"utf-8\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
    html.element("title", "Run " + runId);
    html.open("style").raw(style()).close("style").close("head").open("body");
    html.open("header").element("p", "GuiLoMo on Spark", "class", "name");
    html.element("h1", "Run " + runId);
    html.add(headline(tables));
    html.close("header").open("main").add(body).close("main");
    return html.close("body").close("html").toString();
  }

  private static String style() {
    try (InputStream in = RunReport.class.getResourceAsStream("report.css")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a run found, in a few sentences, the most important first. */
  private static Html headline(RunTables tables) {
    List<String> sentences = new ArrayList<>(ComparisonSection.findings(tables));
    Allocation.of(tables)
        .map(Findings::new)
        .ifPresent(
            findings -> {
              sentences.add(findings.experts());
              sentences.add(findings.ranks());
            });
    tables.selection().map(SelectionHistory::changes).ifPresent(sentences::add);
    score(tables).ifPresent(sentences::add);
    Html html = new Html();
    for (Row job : tables.jobs()) {
      String status = job.getAs("status");
      if (status.equals(RunsTable.SUCCEEDED)) {
        continue;
      }
      String end = status.equals(RunsTable.RUNNING) ? "had not finished" : "had failed";
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
        .filter(row -> !EvaluationsTable.isLoss(row.getAs("metric")))
        .min(Comparator.comparing(row -> row.<String>getAs("metric")))
        .map(RunReport::score);
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
