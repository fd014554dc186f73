package io.guilomo.spark.report;

import io.guilomo.model.UserException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
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
          new TrialsSection(),
          new EvaluationSection(),
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
    return html(RunTables.open(spark, outputDir, runId, RunTables.FEW), outputDir, runId);
  }

  static String html(RunTables tables, String outputDir, String runId) {
    if (tables.jobs().isEmpty()) {
      throw new UserException(
          String.format(
              "Cannot report on run %s: %s/tables/runs has no row of it", runId, outputDir));
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
    html.add(Headline.of(tables));
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
}
