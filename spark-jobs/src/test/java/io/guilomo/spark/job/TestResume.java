package io.guilomo.spark.job;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.checkpoint.QuotaFileSystem;
import io.guilomo.spark.checkpoint.QuotaFileSystem.Quota;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.PlanExpertsTable;
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
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Jobs that stop half-way and are submitted again, on a small real encoder. */
class TestResume {

  private static final List<String> TIMED = List.of("tokens_per_second");
  private static final Path MODEL = Path.of(System.getProperty("guilomo.minilm", ""));

  @TempDir private Path output;
  private final List<String> messages = new ArrayList<>();
  private Path train;
  private Path validation;

  @BeforeEach
  void chooseRecords() throws IOException {
    assumeTrue(
        Files.isRegularFile(MODEL.resolve("all-minilm-l6-v2.onnx")),
        "skipped: system property guilomo.minilm names no model");
    train = sentences("train.jsonl", "I saw %d %s yesterday.", 40);
    validation = sentences("validation.jsonl", "These %d %s are heavy.", 12);
  }

  @Test
  void aSearchThatGoesOnEndsAsOneThatWasNotStopped() throws IOException {
    AllocateJob.Result whole = allocate("whole", Integer.MAX_VALUE);
    assertThatThrownBy(() -> allocate("stopped", 2)).hasMessage("stopped after round 2");
    assertThat(status("stopped")).containsExactly("FAILED");
    assertThat(checkpoints("stopped/checkpoints/allocate/seed-42"))
        .containsExactly("round-00000001", "round-00000002");

    messages.clear();
    AllocateJob.Result resumed = allocate("stopped", Integer.MAX_VALUE);
    assertThat(messages).contains("going on after round 2 of 3");
    assertThat(resumed.plan()).isEqualTo(whole.plan());
    assertThat(resumed.searches()).isEqualTo(whole.searches());
    for (Table<?> table :
        List.of(GsvHistoryTable.INSTANCE, PlanExpertsTable.INSTANCE, MetricsTable.INSTANCE)) {
      assertThat(values(table, "stopped")).isEqualTo(values(table, "whole")).isNotEmpty();
    }
    assertThat(status("stopped")).containsExactly("SUCCEEDED");

    // It has ended: submitted again it begins anew.
    messages.clear();
    assertThat(allocate("stopped", Integer.MAX_VALUE).plan()).isEqualTo(whole.plan());
    assertThat(messages).noneMatch(line -> line.startsWith("going on"));
  }

  @Test
  void aSpoiledCheckpointIsPassedOver() throws IOException {
    AllocateJob.Result whole = allocate("whole", Integer.MAX_VALUE);
    assertThatThrownBy(() -> allocate("stopped", 2)).hasMessage("stopped after round 2");
    Path newest = output.resolve("runs/stopped/checkpoints/allocate/seed-42/round-00000002");
    Files.delete(newest.resolve(".state.safetensors.crc"));
    Files.write(newest.resolve("state.safetensors"), new byte[10]);
    messages.clear();
    long start = System.nanoTime();
    assertThat(allocate("stopped", Integer.MAX_VALUE).plan()).isEqualTo(whole.plan());
    report("truncated checkpoint", start);
    assertThat(messages)
        .contains("going on after round 1 of 3")
        .anyMatch(
            line ->
                line.startsWith("Cannot read the checkpoint ")
                    && line.contains("state.safetensors has 10 bytes, its manifest says "));
    assertThat(values(MetricsTable.INSTANCE, "stopped"))
        .isEqualTo(values(MetricsTable.INSTANCE, "whole"));
  }

  @Test
  void ofSeveralSearchesEachGoesOnWhereItWas() throws IOException {
    AllocateJob.Result whole = allocate("whole", Integer.MAX_VALUE, "search.seeds=[7, 42]");
    assertThatThrownBy(() -> allocate("stopped", 3, "search.seeds=[7, 42]"))
        .hasMessage("stopped after round 3");
    AllocateJob.Result resumed = allocate("stopped", Integer.MAX_VALUE, "search.seeds=[7, 42]");
    assertThat(resumed.searches()).isEqualTo(whole.searches());
    assertThat(values(MetricsTable.INSTANCE, "stopped"))
        .isEqualTo(values(MetricsTable.INSTANCE, "whole"));
  }

  @Test
  void aFullDiskStopsARunThatGoesOnWhenThereIsRoom() throws IOException {
    AllocateJob.Result whole = allocate("whole", Integer.MAX_VALUE);
    QuotaFileSystem.configure(SharedSparkSession.session().sparkContext().hadoopConfiguration());
    String disk = "output.dir=quota://" + output;
    AtomicReference<Quota> quota = new AtomicReference<>();
    Runnable fill = () -> quota.set(QuotaFileSystem.allow(0));
    assertThatThrownBy(
            () ->
                new AllocateJob(
                        SharedSparkSession.session(), config("full", disk), new Listener(2, fill))
                    .run())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Cannot append round 3 to table metrics: No space left on device");
    assertThat(quota.get().exceeded()).isTrue();
    quota.get().close();
    messages.clear();
    long start = System.nanoTime();
    AllocateJob.Result resumed =
        new AllocateJob(SharedSparkSession.session(), config("full", disk), new Listener(99)).run();
    report("full disk", start);
    assertThat(messages).contains("going on after round 2 of 3");
    assertThat(resumed.searches()).isEqualTo(whole.searches());
    assertThat(values(MetricsTable.INSTANCE, "full"))
        .isEqualTo(values(MetricsTable.INSTANCE, "whole"));
  }

  @Test
  void aLossThatIsNotFiniteStopsARunThatGoesOnWithALowerRate() throws IOException {
    AllocateJob.Result whole = allocate("whole", 99, "search.epochs=2");
    assertThatThrownBy(() -> allocate("stopped", 2, "search.epochs=2"))
        .hasMessage("stopped after round 2");
    String rarely = "checkpoint.every-rounds=100";
    assertThatThrownBy(
            () -> allocate("stopped", 99, "search.epochs=2", "search.learning-rate=1e30", rarely))
        .hasStackTraceContaining("Cannot go on from step 4: the validation loss is ");
    assertThat(status("stopped")).containsExactly("FAILED");
    messages.clear();
    long start = System.nanoTime();
    assertThat(allocate("stopped", 99, "search.epochs=2").plan()).isEqualTo(whole.plan());
    report("loss not finite", start);
    assertThat(messages).contains("going on after round 2 of 5");
    assertThat(values(MetricsTable.INSTANCE, "stopped"))
        .isEqualTo(values(MetricsTable.INSTANCE, "whole"));
  }

  @Test
  void changedSettingsArePointedOutOrRefused() throws IOException {
    assertThatThrownBy(() -> allocate("stopped", 1)).hasMessage("stopped after round 1");
    assertThatThrownBy(() -> allocate("stopped", 9, "lora-moe.max-rank=3"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot go on from ")
        .hasMessageEndingWith(
            "after round 1: lora-moe.max-rank from 2 to 3 has changed; give another run.id, or begin"
                + " anew with checkpoint.resume=false");
    messages.clear();
    AllocateJob.Result longer =
        allocate("stopped", 99, "search.epochs=2", "cluster.averaging-frequency=3");
    assertThat(messages)
        .contains(
            "going on with a changed key: search.epochs from 1 to 2",
            "going on with a changed key: cluster.averaging-frequency from 2 to 3",
            // 2 of 10 steps are done; the other 8 make three rounds.
            "going on after round 1 of 4");
    assertThat(longer.plan().modules()).isNotEmpty();
    messages.clear();
    allocate("stopped", 99, "lora-moe.max-rank=3", "checkpoint.resume=false");
    assertThat(messages).noneMatch(line -> line.startsWith("going on"));
  }

  @Test
  void aFineTuningThatGoesOnEndsAsOneThatWasNotStopped() throws IOException {
    for (String run : List.of("whole", "stopped")) {
      new AllocateJob(
              SharedSparkSession.session(),
              config(run, "allocation.strategy=uniform"),
              new Listener(99))
          .run();
    }
    FinetuneJob.Result whole = finetune("whole", 99);
    assertThatThrownBy(() -> finetune("stopped", 4)).hasMessage("stopped after round 4");
    messages.clear();
    FinetuneJob.Result resumed = finetune("stopped", 99);
    // Round 3 ends the first epoch: there is a checkpoint after it.
    assertThat(messages).contains("going on after round 3 of 5");
    assertThat(resumed.outcome().best()).isEqualTo(whole.outcome().best());
    assertThat(resumed.outcome().last()).isEqualTo(whole.outcome().last());
    assertThat(resumed.outcome().tokens()).isEqualTo(whole.outcome().tokens());
    assertThat(output.resolve("runs/stopped/adapter/adapter.safetensors"))
        .hasSameBinaryContentAs(output.resolve("runs/whole/adapter/adapter.safetensors"));
    assertThat(values(MetricsTable.INSTANCE, "stopped"))
        .isEqualTo(values(MetricsTable.INSTANCE, "whole"));
  }

  @ParameterizedTest
  @CsvSource({
    "2, 100, Cannot go on from step 7: the training loss is NaN",
    "1, 1, Cannot go on after 7 steps: the validation loss is NaN"
  })
  void aLossThatIsNotFiniteLeavesTheLastGoodAdapter(
      int stepsPerRound, int stepsPerValidation, String message) throws IOException {
    new AllocateJob(
            SharedSparkSession.session(),
            config("stopped", "allocation.strategy=uniform"),
            new Listener(99))
        .run();
    assertThatThrownBy(() -> finetune("stopped", 4)).hasMessage("stopped after round 4");
    Path run = output.resolve("runs/stopped");
    Map<Path, String> kept = contents(run.resolve("adapter"), run.resolve("adapter-last"));
    assertThat(kept).hasSizeGreaterThanOrEqualTo(4);
    assertThatThrownBy(
            () ->
                finetune(
                    "stopped",
                    99,
                    "finetune.learning-rate=1e30",
                    "finetune.validate-every-steps=" + stepsPerValidation,
                    "cluster.averaging-frequency=" + stepsPerRound))
        .hasStackTraceContaining(message);
    assertThat(status("stopped")).contains("FAILED");
    assertThat(contents(run.resolve("adapter"), run.resolve("adapter-last"))).isEqualTo(kept);
    EvaluateJob.Result scored =
        new EvaluateJob(
                SharedSparkSession.session(),
                config(
                    "stopped",
                    "evaluate.data=" + validation,
                    "evaluate.methods=[choices]",
                    // One question is longer than the model.
                    "data.max-bad-fraction=0.1"),
                new Listener(99))
            .run();
    assertThat(scored.evaluations()).allMatch(row -> Double.isFinite(row.value()));
    // With the rate that it had, it ends as if nothing had happened.
    messages.clear();
    assertThat(finetune("stopped", 99).outcome().best().loss()).isFinite();
    assertThat(messages).contains("going on after round 3 of 5");
  }

  /** The files in some directories, by their digests. */
  private static Map<Path, String> contents(Path... directories) throws IOException {
    Map<Path, String> contents = new TreeMap<>();
    for (Path directory : directories) {
      try (Stream<Path> files = Files.list(directory)) {
        for (Path file : files.toList()) {
          contents.put(file, DigestUtils.sha256Hex(Files.readAllBytes(file)));
        }
      }
    }
    return contents;
  }

  @Test
  void anotherPlanIsNotGoneOnWith() throws IOException {
    new AllocateJob(
            SharedSparkSession.session(),
            config("stopped", "allocation.strategy=uniform"),
            new Listener(99))
        .run();
    assertThatThrownBy(() -> finetune("stopped", 4)).hasMessage("stopped after round 4");
    new AllocateJob(
            SharedSparkSession.session(),
            config("stopped", "allocation.strategy=uniform", "allocation.rank=1"),
            new Listener(99))
        .run();
    assertThatThrownBy(() -> finetune("stopped", 99))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching(
            "Cannot go on from the checkpoint after round 3: model, plan or classes have changed \\(it"
                + " has \\d+ parameters, the network has \\d+\\); give another run.id, or begin anew"
                + " with checkpoint.resume=false");
  }

  private static void report(String fault, long start) {
    System.out.printf(
        "fault: %s: submitted again, ended in %.1f s%n", fault, (System.nanoTime() - start) / 1e9);
  }

  private AllocateJob.Result allocate(String runId, int stopAfter, String... overrides)
      throws IOException {
    return new AllocateJob(
            SharedSparkSession.session(), config(runId, overrides), new Listener(stopAfter))
        .run();
  }

  private FinetuneJob.Result finetune(String runId, int stopAfter, String... overrides)
      throws IOException {
    return new FinetuneJob(
            SharedSparkSession.session(),
            config(runId, "checkpoint.every-rounds=100").with(List.of(overrides)),
            new Listener(stopAfter))
        .run();
  }

  private GuilomoConfig config(String runId, String... overrides) {
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

  private List<String> status(String runId) {
    return new TableReader(SharedSparkSession.session(), output.toString())
        .read(RunsTable.INSTANCE, runId).collectAsList().stream()
            .map(row -> row.<String>getAs("status"))
            .toList();
  }

  private List<String> checkpoints(String directory) throws IOException {
    try (Stream<Path> files = Files.list(output.resolve("runs").resolve(directory))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** All rows without run and times, sorted. */
  private List<String> values(Table<?> table, String runId) {
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

  /** Dies, or does something else, after so many rounds. */
  private final class Listener implements ProgressListener {
    private final int stopAfter;
    private final Runnable stop;
    private int rounds;

    Listener(int stopAfter) {
      this(
          stopAfter,
          () -> {
            throw new IllegalStateException("stopped after round " + stopAfter);
          });
    }

    Listener(int stopAfter, Runnable stop) {
      this.stopAfter = stopAfter;
      this.stop = stop;
    }

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
      messages.add(line);
    }

    @Override
    public void end() {}
  }
}
