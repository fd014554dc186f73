package io.guilomo.spark.tracking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.TinyModel;
import io.guilomo.spark.compare.CompareJob;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.IntConsumer;
import java.util.stream.LongStream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole jobs of a tiny encoder, and what an MLflow server has of them. */
class TestTrackedJobs {

  private static final String[] KINDS = {"animal", "plant", "stone"};

  @TempDir private Path directory;
  private final Queue<String> messages = new ConcurrentLinkedQueue<>();
  private MlflowStandIn server;
  private Path model;

  @BeforeEach
  void start() throws IOException {
    model =
        TinyModel.of(GoldenFiles.list("families", "bert_mlm").get(0), directory.resolve("model"));
    records("train.jsonl", 60, 1);
    records("test.jsonl", 12, 2);
    server = new MlflowStandIn();
  }

  @AfterEach
  void stop() {
    server.close();
    assertThat(server.refusals()).allMatch(refusal -> refusal.startsWith("Could not find exp"));
  }

  @Test
  void allOfARunIsRecordedThoughTheServerAndTheSearchStopHalfWay() throws IOException {
    // The search dies after its third round, and is submitted again.
    assertThatThrownBy(() -> new AllocateJob(context(config("r"), dyingAfter(3)), true).run())
        .hasStackTraceContaining("stopped after round 3");
    MlflowStore.Run search = server.run("r", "allocate");
    assertThat(search.status).isEqualTo("FAILED");
    assertThat(search.tags.get("guilomo.error")).contains("stopped after round 3");
    AllocateJob.Result found = new AllocateJob(context(config("r"), round -> {}), true).run();
    assertThat(messages).anyMatch(line -> line.startsWith("resuming after round "));
    assertThat(server.run("r", "allocate")).isSameAs(search);
    assertThat(search.status).isEqualTo("FINISHED");
    long rounds = last("r", "allocate");
    assertThat(search.steps("train/loss"))
        .containsExactlyElementsOf(LongStream.rangeClosed(1, rounds).boxed().toList());
    assertThat(search.metrics.keySet())
        .contains("train/learning_rate", "validation/loss", "plan/parameters");
    assertThat(search.last("plan/parameters")).isEqualTo(found.plan().parameters());
    assertThat(search.last("validation/loss")).isEqualTo(found.searches().get(0).after().loss());
    assertThat(AllocationPlanParser.fromJson(search.file("plan.json"))).isEqualTo(found.plan());
    assertThat(search.files)
        .containsOnlyKeys("config.conf", "report.html", "plan.json", "rank.json", "expert.json");

    // The server is killed after the second round, and comes back after the sixth.
    long[] back = new long[2];
    messages.clear();
    FinetuneJob.Result tuned =
        new FinetuneJob(context(config("r"), round -> restart(round, back)), true).run();
    if (back[1] == 0) {
      back[1] = System.nanoTime();
    }
    System.out.printf(
        "fault: MLflow is killed for four rounds: all is there %.1f s after its return%n",
        (back[1] - back[0]) / 1e9);
    MlflowStore.Run training = server.run("r", "finetune");
    assertThat(training.status).isEqualTo("FINISHED");
    assertThat(training.steps("train/loss"))
        .containsExactlyElementsOf(
            LongStream.rangeClosed(1, last("r", "finetune")).boxed().toList());
    assertThat(training.metrics.keySet())
        .contains("train/learning_rate", "train/tokens_per_second", "validation/accuracy");
    assertThat(training.last("validation/loss")).isEqualTo(tuned.outcome().last().loss());
    assertThat(training.files).containsKeys("adapter/manifest.json", "adapter/adapter.safetensors");
    assertThat(training.files.get("adapter/adapter.safetensors"))
        .isEqualTo(Files.readAllBytes(Path.of(tuned.adapter()).resolve("adapter.safetensors")));
    assertThat(messages)
        .filteredOn(line -> line.startsWith("warning: MLflow"))
        .hasSizeLessThanOrEqualTo(1);

    EvaluateJob.Result scored = new EvaluateJob(context(config("r"), round -> {})).run();
    MlflowStore.Run evaluation = server.run("r", "evaluate");
    assertThat(scored.evaluations())
        .isNotEmpty()
        .allSatisfy(
            row -> assertThat(evaluation.last("test/" + row.metric())).isEqualTo(row.value()));
    assertThat(evaluation.files).containsOnlyKeys("config.conf", "report.html");
  }

  private void restart(int round, long[] back) {
    try {
      if (round == 2) {
        server.stop();
      } else if (round == 6) {
        server.start();
        back[0] = System.nanoTime();
      } else if (round > 6 && back[1] == 0 && isThere(6)) {
        back[1] = System.nanoTime();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean isThere(long round) {
    return server.run("r", "finetune").steps("train/loss").contains(round);
  }

  @Test
  void aComparisonHasItsRunsBelowIt() throws IOException {
    CompareJob.Result result = new CompareJob(context(config("c"), round -> {})).run();
    MlflowStore.Run comparison = server.run("c", "compare");
    assertThat(comparison.status).isEqualTo("FINISHED");
    assertThat(comparison.files).containsKeys("report.html", "plan-uniform.1.json");
    assertThat(result.rows())
        .isNotEmpty()
        .allSatisfy(
            row ->
                assertThat(comparison.metrics)
                    .anySatisfy(
                        (name, values) -> {
                          assertThat(name).startsWith(row.strategy()).endsWith("/" + row.metric());
                          assertThat(values.get(0).value()).isEqualTo(row.score().mean());
                        }));
    assertThat(server.runs())
        .filteredOn(run -> run != comparison)
        .hasSize(2)
        .allMatch(run -> comparison.id.equals(run.tags.get("mlflow.parentRunId")))
        .extracting(run -> run.name)
        .containsExactly("c.uniform.1 finetune", "c.uniform.1 evaluate");
  }

  @Test
  void aServerThatIsNeverThereIsNoReasonToFail() throws IOException {
    server.stop();
    long start = System.nanoTime();
    GuilomoConfig config = config("r").with(List.of("allocation.strategy=uniform"));
    new AllocateJob(context(config, round -> {}), false).run();
    System.out.printf(
        "fault: MLflow is never there: a job of %.1f s%n", (System.nanoTime() - start) / 1e9);
    assertThat(directory.resolve("out/runs/r/plan.json")).exists();
    assertThat(messages)
        .filteredOn(line -> line.contains("MLflow"))
        .singleElement()
        .asString()
        .startsWith("warning: MLflow at " + server.uri() + " ");
  }

  private long last(String runId, String job) {
    Row row =
        new TableReader(SharedSparkSession.session(), directory.resolve("out").toString())
            .read(MetricsTable.INSTANCE, runId)
            .filter("job = '" + job + "'")
            .selectExpr("max(round)")
            .first();
    return row.getLong(0);
  }

  private JobContext context(GuilomoConfig config, IntConsumer afterRound) {
    ProgressListener listener =
        new ProgressListener() {
          private int round;

          @Override
          public void begin(String task, long rounds) {
            round = 0;
          }

          @Override
          public void round(Map<String, Double> values) {
            afterRound.accept(++round);
          }

          @Override
          public void message(String line) {
            messages.add(line);
          }

          @Override
          public void end() {}
        };
    return new JobContext(SharedSparkSession.session(), config, listener);
  }

  private static IntConsumer dyingAfter(int last) {
    return round -> {
      if (round > last) {
        throw new IllegalStateException("stopped after round " + last);
      }
    };
  }

  private void records(String file, int count, long seed) throws IOException {
    Random random = new Random(seed);
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int kind = i % KINDS.length;
      StringBuilder text = new StringBuilder();
      for (int word = 0; word < 4; word++) {
        text.append('w').append(4 + KINDS.length * random.nextInt(20) + kind).append(' ');
      }
      lines.add(
          "{\"text\":\"%s\",\"label\":\"%s\"}".formatted(text.toString().strip(), KINDS[kind]));
    }
    Files.write(directory.resolve(file), lines);
  }

  private GuilomoConfig config(String runId) {
    return GuilomoConfig.load(
        null,
        List.of(
            "run.id=" + runId,
            "output.dir=" + directory.resolve("out"),
            "tracking.mlflow.uri=" + server.uri(),
            "model.path=" + model,
            "model.max-length=16",
            "data.task=classification",
            "data.train=" + directory.resolve("train.jsonl"),
            "data.validation-fraction=0.3",
            "evaluate.data=" + directory.resolve("test.jsonl"),
            "evaluate.bootstrap-samples=20",
            "lora-moe.max-experts=3",
            "lora-moe.max-rank=2",
            "allocation.experts=2",
            "allocation.rank=2",
            "search.epochs=1",
            "search.batch-size=8",
            "search.warmup-steps=1",
            "finetune.steps=10",
            "finetune.batch-size=8",
            "finetune.warmup-steps=1",
            "finetune.validate-every-steps=5",
            "compare.strategies=[uniform]",
            "compare.baseline=uniform",
            "compare.seeds=[1]",
            "cluster.workers=1",
            "cluster.threads-per-worker=1",
            "cluster.averaging-frequency=1",
            "checkpoint.every-rounds=2"));
  }
}
