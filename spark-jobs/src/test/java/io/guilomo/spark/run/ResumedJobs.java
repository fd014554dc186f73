package io.guilomo.spark.run;

import static org.apache.spark.sql.functions.col;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;

/** Jobs of a small real encoder that stop half-way where they are told to, and what they leave. */
public final class ResumedJobs {

  private static final List<String> TIMED =
      List.of("tokens_per_second", MetricsTable.SEARCH_SECONDS);
  private static final Path MODEL = Path.of(System.getProperty("guilomo.minilm", ""));

  private final Path output;
  private final Messages messages = new Messages();
  private final Path train;
  private final Path validation;

  /** Skips the running test where there is no model. */
  ResumedJobs(Path output) throws IOException {
    assumeTrue(
        Files.isRegularFile(MODEL.resolve("all-minilm-l6-v2.onnx")),
        "skipped: system property guilomo.minilm names no model");
    this.output = output;
    train = sentences("train.jsonl", "I saw %d %s yesterday.", 40);
    validation = sentences("validation.jsonl", "These %d %s are heavy.", 12);
  }

  /** What all jobs have said so far; may be cleared. */
  public List<String> messages() {
    return messages.lines();
  }

  /** Records that no job learned from. */
  public Path validation() {
    return validation;
  }

  /** Prints how long the submission after a fault took. */
  public static void report(String fault, long start) {
    System.out.printf(
        "fault: %s: submitted again, ended in %.1f s%n", fault, (System.nanoTime() - start) / 1e9);
  }

  /**
   * Allocates.
   *
   * @param stopAfter rounds after which the job dies, if it has more
   */
  public AllocateJob.Result allocate(String runId, int stopAfter, String... overrides)
      throws IOException {
    return new AllocateJob(
            new JobContext(
                SharedSparkSession.session(), config(runId, overrides), listener(stopAfter)),
            true)
        .run();
  }

  /** Fine-tunes, likewise. */
  public FinetuneJob.Result finetune(String runId, int stopAfter, String... overrides)
      throws IOException {
    return new FinetuneJob(
            new JobContext(
                SharedSparkSession.session(),
                config(runId, "checkpoint.every-rounds=100").with(List.of(overrides)),
                listener(stopAfter)),
            true)
        .run();
  }

  public GuilomoConfig config(String runId, String... overrides) {
    List<String> settings = new ArrayList<>();
    settings.addAll(
        List.of(
            "run.id=" + runId,
            "output.dir=" + output,
            "model.path=" + MODEL,
            "model.max-length=16",
            "data.task=classification",
            "data.train=" + train,
            "data.validation=" + validation,
            "lora-moe.target-modules=[query,value]",
            "lora-moe.max-experts=3",
            "lora-moe.max-rank=2",
            "allocation.experts=2",
            "allocation.rank=2",
            "search.epochs=1",
            "search.batch-size=4",
            "search.warmup-steps=1",
            "search.estimator=straight-through",
            "search.gsv-learning-rate=0.1",
            "finetune.epochs=2",
            "finetune.batch-size=4",
            "finetune.warmup-steps=1",
            "cluster.workers=2",
            "cluster.threads-per-worker=1",
            "cluster.averaging-frequency=2",
            "checkpoint.every-rounds=1"));
    settings.addAll(List.of(overrides));
    return GuilomoConfig.load(null, settings);
  }

  private Path sentences(String file, String pattern, int count) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String text = pattern.formatted(i + 2, i % 2 == 0 ? "horses" : "hammers");
      String label = i % 2 == 0 ? "animal" : "tool";
      lines.add("{\"sentence\":\"%s\",\"label\":\"%s\"}".formatted(text, label));
    }
    return Files.write(output.resolve(file), lines);
  }

  /** How the jobs of a run have ended. */
  public List<String> status(String runId) {
    return new TableReader(SharedSparkSession.session(), output.toString())
        .read(RunsTable.INSTANCE, runId).collectAsList().stream()
            .map(row -> row.<String>getAs("status"))
            .toList();
  }

  /** Names of what lies in a directory under {@code runs}. */
  List<String> checkpoints(String directory) throws IOException {
    try (Stream<Path> files = Files.list(output.resolve("runs").resolve(directory))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** All rows without run and times, sorted. */
  public List<String> values(Table<?> table, String runId) {
    var rows =
        new TableReader(SharedSparkSession.session(), output.toString())
            .read(table, runId)
            .drop("at", "run_id");
    if (table == MetricsTable.INSTANCE) {
      rows = rows.filter(col("name").isInCollection(TIMED).equalTo(false));
    }
    return rows.collectAsList().stream()
        .map(Row::toString)
        .sorted(Comparator.naturalOrder())
        .toList();
  }

  /** Has a job die after so many rounds. */
  public ProgressListener listener(int stopAfter) {
    return listener(
        stopAfter,
        () -> {
          throw new IllegalStateException("stopped after round " + stopAfter);
        });
  }

  /** Does something after so many rounds of a job. */
  public ProgressListener listener(int stopAfter, Runnable stop) {
    return new ProgressListener() {
      private int rounds;

      @Override
      public void begin(String task, long count) {}

      @Override
      public void round(Map<String, Double> values) {
        if (rounds++ == stopAfter) {
          stop.run();
        }
      }

      @Override
      public void message(String line) {
        messages.message(line);
      }

      @Override
      public void end() {}
    };
  }
}
