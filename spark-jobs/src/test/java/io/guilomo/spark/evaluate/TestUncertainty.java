package io.guilomo.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.TinyModel;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.EvaluationsTable.Evaluation;
import io.guilomo.spark.table.PredictionsTable;
import io.guilomo.spark.table.RecordScoresTable;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two adapters of a tiny encoder that answer together, and what they are not sure of. */
class TestUncertainty {

  @TempDir private Path directory;
  private final List<String> messages = new ArrayList<>();
  private Path model;

  private void train() throws IOException {
    model = TinyModel.of(GoldenFiles.require("families/bert_mlm"), directory.resolve("model"));
    writeRecords("train.jsonl", 24, i -> 5 + i);
    writeRecords("validation.jsonl", 8, i -> 30 + i);
    writeRecords("other.jsonl", 6, i -> 63 - i);
    new AllocateJob(context("allocation.strategy=uniform"), false).run();
    FinetuneJob.Result trained = new FinetuneJob(context(), false).run();
    assertThat(trained.members()).extracting(FinetuneJob.Member::seed).containsExactly(7L, 8L);
  }

  @Test
  void twoAdaptersAnswerTogether() throws IOException {
    train();
    Path run = directory.resolve("out/runs/uncertainty");
    assertThat(run.resolve("adapter/manifest.json")).exists();
    assertThat(run.resolve("adapter-seed-8/manifest.json")).exists();
    assertThat(run.resolve("adapter-seed-8-last/manifest.json")).exists();

    Map<String, Double> none = evaluate("none");
    assertThat(none).containsOnlyKeys("accuracy", "matthews-correlation", "f1", "loss");

    Map<String, Double> ensemble = evaluate("ensemble");
    assertThat(run.resolve("adapter/uncertainty.safetensors")).doesNotExist();
    assertThat(ensemble)
        .containsKeys(
            "calibration-error", "accuracy-at-50", "single_calibration-error", "difference_f1")
        .hasSize(24);
    assertThat(ensemble.get("single_loss")).isCloseTo(none.get("loss"), within(1e-6));
    assertThat(ensemble.get("difference_loss"))
        .isCloseTo(ensemble.get("loss") - ensemble.get("single_loss"), within(1e-12));

    assertThat(
            evaluate(
                "ensemble",
                "evaluate.adapters=[\"%s\",\"%s\"]"
                    .formatted(run.resolve("adapter-seed-8"), run.resolve("adapter"))))
        .hasEntrySatisfying(
            "loss", loss -> assertThat(loss).isCloseTo(ensemble.get("loss"), within(1e-6)));

    Map<String, Double> laplace = evaluate("laplace");
    assertThat(run.resolve("adapter/uncertainty.safetensors")).exists();
    assertThat(run.resolve("adapter-seed-8/uncertainty.safetensors")).doesNotExist();
    assertThat(laplace.get("loss")).isNotEqualTo(none.get("loss"));

    Map<String, Double> mixture =
        evaluate("laplace-mixture", "evaluate.out-of-domain=" + directory.resolve("other.jsonl"));
    assertThat(run.resolve("adapter-seed-8/uncertainty.safetensors")).exists();
    assertThat(mixture.get("out-of-domain-auroc")).isBetween(0.0, 1.0);
    assertThat(mixture).containsKey("difference_out-of-domain-auroc");
    assertThat(run.resolve("report.html"))
        .content()
        .contains("<h2>Confidence</h2>", "Accuracy over confidence", "out-of-domain-auroc");
    List<Row> scores = tables().read(RecordScoresTable.INSTANCE, "uncertainty").collectAsList();
    assertThat(scores)
        .filteredOn(row -> row.getAs("method").equals("laplace-mixture"))
        .filteredOn(row -> row.getAs("split").equals("test"))
        .hasSize(8)
        .allMatch(row -> row.<Double>getAs("loss") > 0 && row.<Double>getAs("confidence") > 0.3);
    assertThat(scores)
        .filteredOn(row -> row.getAs("split").equals("out-of-domain"))
        .hasSize(12)
        .allMatch(row -> row.getAs("correct") == null);

    // What has been made is kept: the training records may go.
    Files.delete(directory.resolve("train.jsonl"));
    Map<String, Double> again = evaluate("laplace-mixture", "data.train=");
    assertThat(again.get("loss")).isCloseTo(mixture.get("loss"), within(1e-6));
    assertThat(evaluate("laplace-mixture", "evaluate.member-weights=evidence").get("loss"))
        .isPositive();
    assertThat(evaluate("laplace", "evaluate.laplace-samples=2000").get("loss"))
        .isCloseTo(laplace.get("loss"), within(0.05));

    assertThat(new PredictJob(context("evaluate.uncertainty=laplace-mixture")).run().rows())
        .isEqualTo(8);
    assertThat(tables().read(PredictionsTable.INSTANCE, "uncertainty").collectAsList())
        .allSatisfy(
            row -> {
              Map<String, Double> probabilities = row.getJavaMap(row.fieldIndex("probabilities"));
              assertThat(probabilities.values().stream().mapToDouble(p -> p).sum())
                  .isCloseTo(1, within(1e-9));
              assertThat(probabilities.get(row.<String>getAs("prediction")))
                  .isEqualTo(probabilities.values().stream().mapToDouble(p -> p).max().orElse(0));
            });
    refusals(run);
  }

  @Test
  void anAdapterThatIsReplacedMeanwhileIsRefused() throws IOException {
    train();
    Path run = directory.resolve("out/runs/uncertainty");
    Path adapter = run.resolve("adapter");
    Path uncertainty = adapter.resolve("uncertainty.safetensors");
    Path first = Files.createDirectory(run.resolve("kept"));
    replace(first, adapter);

    assertRefusedAfter("approximating", adapter, run.resolve("adapter-seed-8"));
    assertThat(uncertainty).doesNotExist();

    replace(adapter, first);
    assertRefusedAfter("evaluating", adapter, run.resolve("adapter-seed-8"));
    // What was fitted is not taken for that of the adapter which is there now.
    assertThat(uncertainty).exists();
    messages.clear();
    evaluate("laplace");
    assertThat(messages).anyMatch(line -> line.startsWith("Laplace approximation of " + adapter));

    replace(adapter, first);
    assertThatThrownBy(
            () ->
                new PredictJob(
                        context(replacing("predicting", adapter, run.resolve("adapter-seed-8"))))
                    .run())
        .hasRootCauseMessage(replaced(adapter));
  }

  private void assertRefusedAfter(String task, Path adapter, Path by) {
    assertThatThrownBy(
            () ->
                new EvaluateJob(
                        context(replacing(task, adapter, by), "evaluate.uncertainty=laplace"))
                    .run())
        .hasRootCauseMessage(replaced(adapter));
  }

  private static String replaced(Path adapter) {
    return "Cannot go on with the adapter %s: it has been replaced since it was first read; repeat the command or query"
        .formatted(adapter);
  }

  /** Replaces an adapter when a task begins. */
  private Messages replacing(String name, Path adapter, Path by) {
    return new Messages(messages) {
      @Override
      public void begin(String task, long rounds) {
        if (task.equals(name)) {
          try {
            replace(adapter, by);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      }
    };
  }

  private static void replace(Path adapter, Path by) throws IOException {
    for (String file : List.of("adapter.safetensors", "manifest.json")) {
      // With Hadoop's checksum of it.
      Files.deleteIfExists(adapter.resolve("." + file + ".crc"));
      Files.copy(by.resolve(file), adapter.resolve(file), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private void refusals(Path run) throws IOException {
    Files.delete(run.resolve("adapter/uncertainty.safetensors"));
    assertThatThrownBy(() -> evaluate("laplace", "data.train="))
        .hasMessage(
            "Cannot use guilomo.evaluate.uncertainty = laplace: the adapter %s has no"
                + " uncertainty.safetensors yet, which is made from the records of its training;"
                + " name them in guilomo.data.train",
            run.resolve("adapter"));
    Path other = directory.resolve("out/runs/uncertainty/relabelled");
    Files.createDirectory(other);
    for (String file : List.of("manifest.json", "adapter.safetensors")) {
      Files.copy(run.resolve("adapter").resolve(file), other.resolve(file));
    }
    String manifest = Files.readString(other.resolve("manifest.json"));
    Files.writeString(other.resolve("manifest.json"), manifest.replace("\"l2\"", "\"l3\""));
    assertThatThrownBy(
            () ->
                evaluate(
                    "ensemble",
                    "evaluate.adapters=[\"%s\",\"%s\"]".formatted(run.resolve("adapter"), other)))
        .hasMessage(
            "Cannot mix the adapters %s and %s: one has labels [l0, l1, l2], the other [l0, l1, l3]",
            run.resolve("adapter"), other);
  }

  private Map<String, Double> evaluate(String uncertainty, String... overrides) throws IOException {
    List<String> all = new ArrayList<>(List.of(overrides));
    all.add("evaluate.uncertainty=" + uncertainty);
    Map<String, Double> values = new HashMap<>();
    for (Evaluation row :
        new EvaluateJob(context(all.toArray(String[]::new))).run().evaluations()) {
      assertThat(row.ciLow()).isLessThanOrEqualTo(row.ciHigh());
      values.put(row.metric(), row.value());
    }
    return values;
  }

  private TableReader tables() {
    return new TableReader(SharedSparkSession.session(), directory.resolve("out").toString());
  }

  private void writeRecords(String file, int count, IntUnaryOperator word) throws IOException {
    List<String> records = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      records.add(
          "{\"sentence\":\"w%d w%d w%d\",\"label\":\"l%d\"}"
              .formatted(word.applyAsInt(i), 10 + i, 5 + i % 3, i % 3));
    }
    Files.write(directory.resolve(file), records);
  }

  private JobContext context(String... overrides) {
    return context(new Messages(messages), overrides);
  }

  private JobContext context(Messages listener, String... overrides) {
    GuilomoConfig config =
        GuilomoConfig.load(
                null,
                List.of(
                    "run.id=uncertainty",
                    "output.dir=" + directory.resolve("out"),
                    "model.path=" + model,
                    "model.max-length=16",
                    "data.task=classification",
                    "data.train=" + directory.resolve("train.jsonl"),
                    "data.validation=" + directory.resolve("validation.jsonl"),
                    "evaluate.data=" + directory.resolve("validation.jsonl"),
                    "evaluate.bootstrap-samples=20",
                    "allocation.experts=2",
                    "allocation.rank=2",
                    "finetune.seeds=[7, 8]",
                    "finetune.steps=4",
                    "finetune.learning-rate=1e-2",
                    "finetune.warmup-steps=0",
                    "finetune.batch-size=4",
                    "cluster.workers=2"))
            .with(List.of(overrides));
    return new JobContext(SharedSparkSession.session(), config, listener);
  }
}
