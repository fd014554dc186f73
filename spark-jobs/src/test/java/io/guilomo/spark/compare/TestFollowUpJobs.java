package io.guilomo.spark.compare;

import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.sum;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.evaluate.PredictJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.finetune.FinetuneState;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.SqlViews;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What follows an allocation, on a small real decoder and real questions. */
class TestFollowUpJobs {

  @TempDir private Path output;
  private final Messages messages = new Messages();
  private SparkSession spark;
  private Path train;
  private Path test;

  @BeforeEach
  void chooseShortQuestions() throws IOException {
    spark = SharedSparkSession.session();
    train = ShortQuestions.of("train.jsonl", 44, output);
    test = ShortQuestions.of("validation.jsonl", 6, output);
  }

  @Test
  void aRunIsFineTunedEvaluatedAndPredicted() throws IOException {
    new AllocateJob(
            new JobContext(spark, config("first", "allocation.strategy=uniform"), messages), true)
        .run();
    GuilomoConfig config = config("first");
    FinetuneJob.Result tuned = new FinetuneJob(new JobContext(spark, config, messages), true).run();
    FinetuneState outcome = tuned.outcome();
    assertThat(tuned.plan().strategy()).isEqualTo("uniform");
    assertThat(tuned.steps()).isEqualTo(8);
    assertThat(outcome.best().loss()).isLessThan(outcome.before().loss());
    assertThat(output.resolve("runs/first/adapter/manifest.json")).exists();
    assertThat(output.resolve("runs/first/adapter-last/manifest.json")).exists();
    Path report = output.resolve("runs/first/report.html");
    assertThat(report)
        .content()
        .contains("Every module of every layer got 3 experts.", "Learning curves: finetune")
        .doesNotContain("<h2>Evaluation</h2>");
    assertThat(messages.lines()).contains("report written to " + report);

    EvaluateJob.Result evaluated = new EvaluateJob(new JobContext(spark, config, messages)).run();
    Map<String, Double> metrics = new TreeMap<>();
    evaluated.evaluations().forEach(row -> metrics.put(row.metric(), row.value()));
    assertThat(metrics)
        .containsOnlyKeys("choices_accuracy", "generation_accuracy", "generation_answered", "loss");
    assertThat(evaluated.evaluations())
        .allSatisfy(
            row -> {
              assertThat(row.examples()).isEqualTo(6);
              assertThat(row.ciLow()).isLessThanOrEqualTo(row.value());
              assertThat(row.ciHigh()).isGreaterThanOrEqualTo(row.value());
            });

    GuilomoConfig queried =
        config("first", "evaluate.data=", "evaluate.query=SELECT * FROM json.`%s`".formatted(test));
    assertThat(new EvaluateJob(new JobContext(spark, queried, messages)).run().evaluations())
        .zipSatisfy(
            evaluated.evaluations(),
            (one, other) -> {
              assertThat(one.metric()).isEqualTo(other.metric());
              // Records may meet in other batches.
              assertThat(one.value()).isCloseTo(other.value(), within(1e-4));
            });

    PredictJob.Result predicted = new PredictJob(new JobContext(spark, config, messages)).run();
    assertThat(predicted.rows()).isEqualTo(6);
    assertThat(predicted.without()).isZero();
    SqlViews.register(spark, output.toString());
    // The columns of the records are kept, with what the model made of them.
    List<Row> rows =
        spark
            .sql("SELECT question, answer, prediction, probabilities, generated FROM predictions")
            .collectAsList();
    assertThat(rows).hasSize(6);
    long right = rows.stream().filter(row -> row.getString(1).equals(row.getString(2))).count();
    assertThat(right / 6.0).isEqualTo(metrics.get("choices_accuracy"));
    assertThat(rows)
        .allSatisfy(
            row -> {
              double sum =
                  row.<String, Double>getJavaMap(3).values().stream().mapToDouble(p -> p).sum();
              assertThat(sum).isBetween(1 - 1e-9, 1 + 1e-9);
              assertThat(row.getString(4)).isNotNull();
            });

    assertThat(report).content().contains("<h2>Evaluation</h2>", "<td>6</td>");
    for (String view : SqlViews.VIEWS) {
      if (!List.of("plan_agreement", "quality_over_parameters").contains(view)) {
        assertThat(spark.table(view).isEmpty()).as(view).isFalse();
      }
    }
    assertThat(names(rows(MetricsTable.INSTANCE).filter("job = 'finetune' AND worker = -1")))
        .containsExactlyInAnyOrder(
            "loss",
            "accuracy",
            "balance_loss",
            "learning_rate",
            "gradient_norm",
            "tokens_per_second",
            "router_entropy",
            "expert_load_max",
            "active_experts",
            "averaged_bytes",
            "expert_load");
    Dataset<Row> ofWorkers = rows(MetricsTable.INSTANCE).filter("job = 'finetune' AND worker >= 0");
    assertThat(names(ofWorkers)).contains("learning_rate", "expert_load", "router_entropy");
    assertThat(ofWorkers.filter("name = 'learning_rate' AND worker = 1").count()).isEqualTo(8);
    // The shares of a module's experts are 1 together, of each worker and of both.
    assertThat(
            rows(MetricsTable.INSTANCE)
                .filter("name = 'expert_load'")
                .groupBy("step", "worker", "layer", "module")
                .agg(sum("value").as("all"), count("value").as("experts"))
                .select("worker", "experts", "all")
                .collectAsList())
        .hasSize(2 * 3 * 35)
        .allMatch(row -> row.getLong(1) == 3 && Math.abs(row.getDouble(2) - 1) < 1e-9)
        .extracting(row -> row.getInt(0))
        .containsOnly(-1, 0, 1);
    assertThat(rows(RunsTable.INSTANCE).filter("status = 'SUCCEEDED'").count()).isEqualTo(4);

    // A rerun adds no row, and gives the same numbers.
    Map<String, Long> before = counts();
    FinetuneJob.Result again = new FinetuneJob(new JobContext(spark, config, messages), true).run();
    assertThat(again.outcome().best()).isEqualTo(outcome.best());
    assertThat(rows(EvaluationsTable.INSTANCE).isEmpty()).as("of the earlier adapter").isTrue();
    assertThat(report).content().doesNotContain("<h2>Evaluation</h2>", "Evaluated on");
    assertThat(new EvaluateJob(new JobContext(spark, config, messages)).run().evaluations())
        .isEqualTo(evaluated.evaluations());
    new PredictJob(new JobContext(spark, config, messages)).run();
    assertThat(counts()).isEqualTo(before);

    // Choices at a temperature that the validation records tell.
    GuilomoConfig ensemble = config("first", "evaluate.uncertainty=ensemble");
    Map<String, Double> ofEnsemble = new TreeMap<>();
    new EvaluateJob(new JobContext(spark, ensemble, messages))
        .run()
        .evaluations()
        .forEach(row -> ofEnsemble.put(row.metric(), row.value()));
    assertThat(ofEnsemble)
        .containsKeys("choices_loss", "choices_calibration-error", "difference_choices_loss")
        .containsEntry("single_choices_accuracy", metrics.get("choices_accuracy"));
    assertThat(output.resolve("runs/first/adapter/uncertainty.safetensors")).exists();
    assertThat(messages.lines())
        .anyMatch(line -> line.startsWith("temperature of the choices of " + tuned.adapter()));
    GuilomoConfig impossible = config("first", "evaluate.uncertainty=laplace");
    assertThatThrownBy(() -> new EvaluateJob(new JobContext(spark, impossible, messages)).run())
        .hasMessage(
            "Cannot use guilomo.evaluate.uncertainty = laplace for multiple-choice: it approximates"
                + " the posterior of a classifier's head, and a language model has none; use"
                + " ensemble");
    GuilomoConfig generating =
        config("first", "evaluate.uncertainty=ensemble", "evaluate.methods=[generation]");
    assertThatThrownBy(() -> new EvaluateJob(new JobContext(spark, generating, messages)).run())
        .hasMessage(
            "Cannot use guilomo.evaluate.uncertainty = ensemble for multiple-choice with"
                + " guilomo.evaluate.methods = [generation]: only classes and choices have"
                + " probabilities to average");

    // What could only fail once all has been scored is refused before.
    GuilomoConfig unsure =
        config(
            "first",
            "evaluate.out-of-domain=" + output.resolve("missing.jsonl"),
            "evaluate.methods=[generation]");
    assertThatThrownBy(() -> new EvaluateJob(new JobContext(spark, unsure, messages)).run())
        .hasMessage(
            "Cannot use guilomo.evaluate.out-of-domain for multiple-choice with"
                + " guilomo.evaluate.methods = [generation]: only classes and choices have"
                + " confidences that tell records from each other");
    GuilomoConfig missing = unsure.with(List.of("evaluate.methods=[choices]"));
    assertThatThrownBy(() -> new EvaluateJob(new JobContext(spark, missing, messages)).run())
        .hasMessage("Cannot read " + output.resolve("missing.jsonl") + ": there is no such file");
  }

  @Test
  void strategiesAreComparedAtTheSameBudgetAndNotRunTwice() throws IOException {
    GuilomoConfig config =
        config(
            "cmp",
            "compare.strategies=[uniform, random]",
            "compare.baseline=uniform",
            "compare.seeds=[1, 2]",
            "allocation.experts=2",
            "allocation.rank=2",
            "finetune.steps=2",
            "evaluate.methods=[choices]",
            "evaluate.bootstrap-samples=20");
    CompareJob.Result result = new CompareJob(new JobContext(spark, config, messages)).run();
    assertThat(rows(ComparisonTable.INSTANCE).count()).isEqualTo(4);
    double budget = result.rows().get(0).size().parameters();
    assertThat(result.rows())
        .allSatisfy(
            row -> {
              assertThat(row.seeds()).isEqualTo(2);
              assertThat(row.size().parameters()).isBetween(0.9 * budget, budget);
              assertThat(row.difference() == null).isEqualTo(row.strategy().equals("uniform"));
              assertThat(row.cost().seconds()).isPositive();
            });
    assertThat(rows(RunsTable.INSTANCE).filter("run_id = 'cmp.random.2'").count()).isEqualTo(2);
    messages.lines().clear();
    assertThat(new CompareJob(new JobContext(spark, config, messages)).run().rows())
        .isEqualTo(result.rows());
    assertThat(messages.lines()).noneMatch(line -> line.startsWith("data: ")).hasSize(5);
    assertThat(output.resolve("runs/cmp/report.html"))
        .content()
        .contains("By choices_accuracy, ", "href=\"../cmp.random.2/report.html\"");
    assertThat(output.resolve("runs/cmp.random.2/report.html")).exists();
  }

  @Test
  void trainingStopsWhereValidationGetsNoBetter() throws IOException {
    new AllocateJob(
            new JobContext(spark, config("early", "allocation.strategy=uniform"), messages), true)
        .run();
    // Too low a rate to change a single parameter: no validation is better than the first.
    GuilomoConfig config =
        config(
            "early",
            "finetune.patience=1",
            "finetune.learning-rate=1e-30",
            "finetune.validate-every-steps=2");
    FinetuneJob.Result stopped =
        new FinetuneJob(new JobContext(spark, config, messages), true).run();
    assertThat(stopped.steps()).isEqualTo(4);
    assertThat(stopped.outcome().bestStep()).isEqualTo(2);
    assertThat(messages.lines())
        .contains("stopped early: no better validation loss in 1 validations");
    assertThat(rows(MetricsTable.INSTANCE).filter("step > 4").isEmpty()).isTrue();
  }

  @Test
  void aReportThatCannotBeWrittenFailsNoRun() throws IOException {
    Files.createDirectories(output.resolve("runs/odd/report.html/in-the-way"));
    new AllocateJob(
            new JobContext(spark, config("odd", "allocation.strategy=uniform"), messages), true)
        .run();
    assertThat(messages.lines())
        .filteredOn(line -> line.startsWith("warning: the report was not written: "))
        .hasSize(1);
    assertThat(rows(RunsTable.INSTANCE).select("status").first().getString(0))
        .isEqualTo("SUCCEEDED");
  }

  @Test
  void aReportThatCannotBeWrittenHidesNoFailure() throws IOException {
    Files.createDirectories(output.resolve("runs/odd/report.html/in-the-way"));
    assertThatThrownBy(
            () ->
                new AllocateJob(
                        new JobContext(
                            spark, config("odd", "data.train=" + output + "/none"), messages),
                        true)
                    .run())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot read %s/none: there is no such file", output);
    assertThat(messages.lines())
        .filteredOn(line -> line.startsWith("warning: the report was not written: "))
        .hasSize(1);
    assertThat(rows(RunsTable.INSTANCE).select("status").first().getString(0)).isEqualTo("FAILED");
  }

  @Test
  void aRunWithoutAPlanOrAdapterIsRefused() {
    assertThatThrownBy(
            () -> new FinetuneJob(new JobContext(spark, config("none"), messages), true).run())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot read the plan ")
        .hasMessageContaining("runs/none/plan.json");
    assertThatThrownBy(() -> new EvaluateJob(new JobContext(spark, config("none"), messages)).run())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot read the adapter ")
        .hasMessageContaining("it has no manifest.json");
  }

  private Map<String, Long> counts() {
    return SqlViews.TABLES.stream()
        .collect(Collectors.toMap(Table::name, table -> rows(table).count()));
  }

  private static List<String> names(Dataset<Row> metrics) {
    return metrics.select("name").distinct().collectAsList().stream()
        .map(row -> row.getString(0))
        .toList();
  }

  private Dataset<Row> rows(Table<?> table) {
    return new TableReader(spark, output.toString()).read(table);
  }

  private GuilomoConfig config(String runId, String... overrides) {
    return GuilomoConfig.load(
            null,
            List.of(
                "run.id=" + runId,
                "output.dir=" + output,
                "model.path=" + GoldenFiles.models().resolve("stories260K-hf"),
                "model.max-length=512",
                "data.task=multiple-choice",
                "data.train=" + train,
                "data.validation-fraction=0.25",
                "evaluate.data=" + test,
                "evaluate.batch-size=4",
                "generation.max-new-tokens=12",
                "allocation.experts=3",
                "allocation.rank=2",
                "lora-moe.max-experts=3",
                "lora-moe.max-rank=3",
                "finetune.steps=8",
                "finetune.batch-size=4",
                "finetune.warmup-steps=1",
                "finetune.learning-rate=1e-2",
                "finetune.validate-every-steps=4",
                "cluster.workers=2",
                "cluster.threads-per-worker=1",
                "cluster.averaging-frequency=2"))
        .with(List.of(overrides));
  }
}
