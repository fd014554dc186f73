package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.DataReport;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.TableWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestRunReport {

  @TempDir private Path output;

  @Test
  void everyPartTellsWhatTheTablesHold() {
    DataReport data =
        new DataReport(
            100,
            80,
            10,
            7,
            6,
            5,
            4,
            List.of(new DataReport.BadRecord("/data/train", 3, "no <label>", "x")),
            900,
            20);
    new SampleRun(output, "r1")
        .run(0, data, "search.epochs=3")
        .plan(3, List.of("query", "key"))
        .search(4)
        .training(5)
        .evaluation()
        .comparison();
    new SampleRun(output, "r1.guilomo.42").run(1, null);
    new SampleRun(output, "r10").run(2, null).plan(1, List.of("elsewhere"));
    String html = html("r1");

    assertThat(headings(html))
        .containsExactly(
            "Experts and ranks",
            "Distribution of ranks",
            "Trainable parameters",
            "Comparison of the strategies",
            "Runs of the comparison",
            "Evaluation",
            "Course of the search",
            "Learning curves: allocate",
            "Load of the experts",
            "Data",
            "Jobs",
            "Settings");
    assertThat(html)
        .startsWith("<!DOCTYPE html>")
        .contains("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        .contains("prefers-color-scheme: dark")
        .doesNotContain("<script", "http:", "https:", "elsewhere");
    // What was learned.
    assertThat(html)
        .contains(
            "Layer 1 got the most experts (8), layers 0 and 2 the fewest (4). Every kind of module"
                + " got the same number of experts (2.7 per layer).")
        .contains("The search changed the number of experts of 1 of 1 modules, and 0 of 1 ranks;")
        .contains("By accuracy, guilomo differs from uniform by more than chance.")
        .contains("Mean accuracy: guilomo 0.7200, random 0.7100, uniform 0.7000.")
        .contains("Evaluated on 527 records: accuracy 0.7135 [0.6717, 0.7534].");
    // The plan: 16 experts, of which 6 have rank 1; the uniform one has 7,500 parameters.
    assertThat(html)
        .contains("16 experts of mean rank 2.00, 600 trainable parameters")
        .contains("<td>6</td><td><span>37.5 %</span>".replace("</td><td>", "</td>\n<td>"))
        .contains("92.0 % fewer than the uniform plan of 5 experts of rank 8.");
    // The search: half of the two vectors moved; five rounds of three entries.
    assertThat(html)
        .contains(
            "numbers of experts: 0 at round 0, 1 at round 4; ranks: 0 at round 0, 0 at round 4")
        .contains("layer 0: 3 at round 0, 2 at round 4")
        .contains("3 experts: 0.5000 at round 0, 0.2500 at round 4");
    assertThat(html).contains("training: 1 at step 0, 0 at step 4");
    // Of two experts one has nearly everything.
    assertThat(html)
        .contains("1 of 2 experts received less than 1 % of their module&#39;s tokens")
        .contains(">2.0</td>");
    assertThat(html)
        .contains(
            "aria-label=\"accuracy: difference from uniform. guilomo: 0.0200 in 0.0100 to 0.0300;"
                + " random: 0.0100 in -0.0100 to 0.0300.\"")
        // A loss is no share.
        .contains("intervals. accuracy: 0.7135 in 0.6717 to 0.7534.\"");
    assertThat(html).contains("[+0.0100, +0.0300]", "[-0.0100, +0.0300]", "baseline");
    assertThat(html).contains("href=\"../r1.guilomo.42/report.html\"");
    assertThat(html)
        .contains("<code>/data/train:3: no &lt;label&gt;: x</code>")
        .contains("<td>100</td>", "<td>80</td>", "<td>7</td>", "<td>5</td>");
    assertThat(html)
        .contains("3 min 25 s", "2026-01-02 10:00:00 UTC", "<code>abc</code>")
        .contains("search.epochs</th><td><code>3</code>".replace("</th>", "</th>\n"));
  }

  @Test
  void partsWithoutRowsAreLeftOut() {
    new SampleRun(output, "r1").run(0, null);
    assertThat(headings(html("r1"))).containsExactly("Jobs", "Settings");
    new SampleRun(output, "r2").run(0, null).plan(2, List.of("query"));
    assertThat(headings(html("r2")))
        .containsExactly(
            "Experts and ranks",
            "Distribution of ranks",
            "Trainable parameters",
            "Load of the experts",
            "Jobs",
            "Settings");
  }

  @Test
  void loadIsThatOfOneSeed() {
    new SampleRun(output, "r1").run(0, null).loadsOfTwoSeeds();
    assertThat(html("r1"))
        .contains("1 of 2 experts received less than 1 % of their module&#39;s tokens")
        .contains(">2.0</td>");
  }

  @Test
  void parametersThatRoutersShareAreCounted() {
    new SampleRun(output, "r1")
        .run(0, null, "lora-moe.routing=sparsegen")
        .plan(1, List.of("query"));
    // 100 of the module's own, and λ's network of 10 inputs: 256 · (10 + 1) + 256 + 1.
    assertThat(html("r1"))
        .contains("2 experts of mean rank 1.50, 3,173 trainable parameters")
        .contains("<span>3,173</span>");
  }

  /** The other plans are those that the job which made the plan was configured for. */
  @Test
  void theUniformPlanIsThatOfThePlansJob() {
    new SampleRun(output, "r1")
        .run(1, null, "allocation.experts=3", "allocation.rank=4")
        .plan(1, List.of("query"));
    job("evaluate", 0, "/models/small", "allocation.experts=6");
    job("finetune", 2, "/models/small", "allocation.experts=5");
    assertThat(html("r1")).contains("than the uniform plan of 3 experts of rank 4.");
    job("finetune", 2, "/models/small", "allocation.experts=5", "finetune.plan=plan.json");
    assertThat(html("r1")).contains("than the uniform plan of 5 experts of rank 8.");
  }

  @Test
  void theModelIsTheLastThatIsKnown() {
    job("finetune", 0, "/models/small");
    job("evaluate", 1, "/models/tuned");
    job("predict", 2, "");
    assertThat(html("r1")).contains("Model</dt>\n<dd><code>/models/tuned</code>");
  }

  /** Even one that is below 1. */
  @Test
  void noLossIsDrawnAmongShares() {
    job("evaluate", 0, "/models/small")
        .replace(
            EvaluationsTable.INSTANCE,
            List.of(
                metric("choices_loss", 0.25),
                metric("generation_accuracy", 0.75),
                metric("loss", 0.5)));
    assertThat(html("r1"))
        .contains("Evaluated on 40 records: generation_accuracy 0.7500")
        .contains("intervals. generation_accuracy: 0.7500 in 0.6500 to 0.8500.\"")
        .contains(">choices_loss</th>", ">loss</th>");
  }

  private static EvaluationsTable.Evaluation metric(String name, double value) {
    return new EvaluationsTable.Evaluation(
        42, "guilomo", "test", name, value, value - 0.1, value + 0.1, 40);
  }

  private TableWriter job(String job, long minutes, String backbone, String... settings) {
    TableWriter writer =
        new TableWriter(
            SharedSparkSession.session(),
            output.toString(),
            new JobRun("r1", LocalDate.of(2026, 1, 2), job));
    Instant start = SampleRun.START.plusSeconds(60 * minutes);
    writer.replace(
        RunsTable.INSTANCE,
        List.of(
            new RunsTable.Run(
                new RunsTable.Execution(job, "SUCCEEDED", start, start.plusSeconds(5), 2, "1.0"),
                new RunsTable.Inputs(
                    42,
                    "guilomo",
                    backbone,
                    "abc",
                    "/data/train",
                    GuilomoConfig.load(null, List.of(settings)).asJson()),
                null)));
    return writer;
  }

  @Test
  void aJobThatDidNotSucceedIsSaidFirst() {
    new SampleRun(output, "r1").run("FAILED", 0, null);
    new SampleRun(output, "r2").run("RUNNING", 0, null);
    assertThat(html("r1"))
        .contains("<p class=\"unwell\">Job allocate had failed when this was written.</p>");
    assertThat(html("r2")).contains("Job allocate had not finished when this was written.");
  }

  @Test
  void thePlanOfSeveralSeedsIsTheirConsensus() {
    new SampleRun(output, "r1").run(0, null).consensus();
    assertThat(html("r1"))
        .contains("6 experts of mean rank 2.00, 200 trainable parameters")
        .contains("The consensus of 2 seeds.")
        .contains(
            "2 seeds give the same number of experts to 1 of 2 modules; on average, the largest and the"
                + " smallest number of a module differ by 2.0.")
        .contains("<td class=\"h6\">100 %</td>", "<td class=\"h0\">50 %</td>");
  }

  @Test
  void whatAUserWroteIsNoMarkup() {
    new SampleRun(output, "r1")
        .run(0, null, "evaluate.data=\"<script>alert(1)</script>\"")
        .plan(2, List.of("<b>bold"));
    assertThat(html("r1"))
        .doesNotContain("<script", "<b>")
        .contains("&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;b&gt;bold");
  }

  @Test
  void longCurvesAreDrawnWithFewerPoints() {
    new SampleRun(output, "r1").run(0, null).search(1000).training(1000);
    String html = html("r1");
    assertThat(html)
        .contains("Each point is the mean of 3 steps.", "One in 3 rounds is drawn.")
        // The mean of the first three of 1000 steps.
        .contains("training: 0.9990 at step 1, 0 at step 999")
        // The last round is shown whatever the stride.
        .contains("layer 0: 3 at round 0, 2 at round 1,000");
    Pattern line = Pattern.compile("class=\"[ko]\\d\" d=\"([^\"]+)\"");
    assertThat(line.matcher(html).results().map(match -> match.group(1)))
        .hasSize(10)
        .allSatisfy(path -> assertThat(path.split("[ML]").length - 1).isBetween(300, 401));
    assertThat(html.length()).isLessThan(200_000);
  }

  @Test
  void aSingleCandidateIsOneExpert() {
    new SampleRun(output, "r1").run(0, null).searchOfOneExpert();
    assertThat(html("r1"))
        .contains("layer 0: 1 at round 0, 1 at round 2", "1 expert: 0.2500 at round 0")
        .doesNotContain("counts as 2");
  }

  @Test
  void ofSeveralSearchesTheFirstIsShownAndAllAreCounted() {
    new SampleRun(output, "r1").run(0, null).searches(9, 3, 4);
    assertThat(html("r1"))
        .contains("Seed 7 is shown, the first of 2.")
        .contains(
            "The search changed the number of experts of 18 of 18 modules, and 0 of 18 ranks;")
        .contains("Experts per layer, mean over neighbouring layers")
        .contains("layers 0–1: 3 at round 0, 2 at round 3; ", "layer 8: 3 at round 0, 2 at round 3")
        .contains("numbers of experts: 0 at round 0, 1 at round 3")
        .contains("3 experts: 0.5000 at round 0, 0.2500 at round 3");
  }

  @Test
  void chartsNeedNoIdentifiersAndAreThoseOfTheLastTime() {
    new SampleRun(output, "r1").run(0, null).search(50).training(30).evaluation().comparison();
    String html = html("r1");
    assertThat(html.split("<svg ", -1)).hasSize(1 + 7);
    assertThat(html).isEqualTo(html("r1")).doesNotContain(" id=\"", "url(", "class=\"unpainted\"");
  }

  @Test
  void manyMeasurementsAreSaidAsFew() {
    new SampleRun(output, "r1").run(0, null).plan(3, List.of("query")).search(4).training(5);
    RunTables many =
        new RunTables(SharedSparkSession.session(), output.toString(), "r1", /* few= */ 0);
    assertThat(RunReport.html(many, output.toString(), "r1")).isEqualTo(html("r1"));
  }

  private String html(String runId) {
    return RunReport.html(SharedSparkSession.session(), output.toString(), runId);
  }

  private static List<String> headings(String html) {
    return Pattern.compile("<h2>(.*?)</h2>")
        .matcher(html)
        .results()
        .map(match -> match.group(1))
        .toList();
  }
}
