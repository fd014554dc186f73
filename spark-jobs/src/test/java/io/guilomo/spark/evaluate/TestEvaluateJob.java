package io.guilomo.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.EvaluationsTable.Evaluation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A classifier and records that it cannot be scored on. */
class TestEvaluateJob {

  private static final String MODEL = System.getProperty("guilomo.minilm", "");

  @TempDir private Path output;
  private final List<String> messages = new ArrayList<>();

  @Test
  void aLabelThatWasNotLearnedIsNamedWithThoseThatWere() throws IOException {
    Assumptions.assumeTrue(
        Files.isRegularFile(Path.of(MODEL, "all-minilm-l6-v2.onnx")),
        "system property guilomo.minilm names no model");
    List<String> train = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      train.add(record("We saw %d birds.".formatted(i), i % 2 == 0 ? "even" : "odd"));
    }
    Files.write(output.resolve("train.jsonl"), train);
    Path test = output.resolve("test.jsonl");
    Files.write(test, List.of(train.get(0), record("We saw a bird.", "none"), train.get(1)));
    allocateAndTrain();
    assertThatThrownBy(() -> evaluate())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "Cannot read %s: 1 of 3 records are bad (limit 0): first: %s:2: label none is unknown: the model learned [even, odd]: {"
                .formatted(test, test));
    List<Evaluation> scored = evaluate("data.max-bad-fraction=0.5");
    assertThat(scored).hasSize(4).allMatch(row -> row.examples() == 2);
    assertThat(messages)
        .anyMatch(
            line ->
                line.startsWith("3 records: 2 scored, 1 bad, the first: " + test + ":2: label "));
  }

  private static String record(String sentence, String label) {
    return "{\"sentence\":\"%s\",\"label\":\"%s\"}".formatted(sentence, label);
  }

  private void allocateAndTrain() throws IOException {
    GuilomoConfig config = config("allocation.strategy=uniform");
    new AllocateJob(
            new JobContext(SharedSparkSession.session(), config, new Messages(messages)), true)
        .run();
    new FinetuneJob(
            new JobContext(SharedSparkSession.session(), config, new Messages(messages)), true)
        .run();
  }

  private List<Evaluation> evaluate(String... overrides) throws IOException {
    return new EvaluateJob(
            new JobContext(SharedSparkSession.session(), config(overrides), new Messages(messages)))
        .run()
        .evaluations();
  }

  private GuilomoConfig config(String... overrides) {
    return GuilomoConfig.load(
            null,
            List.of(
                "run.id=labels",
                "output.dir=" + output,
                "model.path=" + MODEL,
                "model.max-length=16",
                "data.task=classification",
                "data.train=" + output.resolve("train.jsonl"),
                "data.validation-fraction=0.3",
                "lora-moe.target-modules=[query]",
                "allocation.experts=2",
                "allocation.rank=1",
                "finetune.steps=1",
                "finetune.batch-size=4",
                "evaluate.data=" + output.resolve("test.jsonl"),
                "evaluate.bootstrap-samples=20",
                "cluster.workers=1"))
        .with(List.of(overrides));
  }
}
