package io.guilomo.spark.table;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.adapter.ModelCard.Score;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.table.EvaluationsTable.Evaluation;
import io.guilomo.spark.table.RecordScoresTable.RecordScore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestRecordedScores {

  private static final Configuration CONF = new Configuration();

  private static final Instant NOON = Instant.parse("2026-01-05T12:00:00Z");

  @TempDir private Path directory;

  @Test
  void scoresAreThoseOfTheAdaptersRun() throws IOException {
    write("r1", 0.875);
    write("r1-b", 0.5);
    write("evaluate", NOON, NOON.plusSeconds(60), "");
    RecordedScores recorded = RecordedScores.of(directory + "/runs/r1/adapter", CONF);
    assertThat(recorded.runId()).hasValue("r1");
    assertThat(recorded.read(CONF))
        .containsExactly(new Score("test", "accuracy", 0.875, 0.75, 1.0, 40));
    // Nothing was measured of the last adapter, nor of other runs.
    recorded = RecordedScores.of(directory + "/runs/r1/adapter-last", CONF);
    assertThat(recorded.runId()).hasValue("r1");
    assertThat(recorded.read(CONF)).isEmpty();
    assertThat(RecordedScores.of(directory + "/runs/r2/adapter", CONF).read(CONF)).isEmpty();
  }

  @Test
  void anAdapterElsewhereIsOfNoRun() throws IOException {
    for (String adapter : List.of("/published/r1", "/runs/adapter", "/runs/no run/adapter")) {
      RecordedScores recorded = RecordedScores.of(directory + adapter, CONF);
      assertThat(recorded.runId()).as(adapter).isEmpty();
      assertThat(recorded.read(CONF)).isEmpty();
    }
    assertThat(RecordedScores.of("/", CONF).runId()).isEmpty();
  }

  /** What {@code evaluate} measured is of the adapter that it names, and of no later one. */
  @Test
  void scoresOfAnotherAdapterAreLeftOut() throws IOException {
    write("r1", 0.875);
    RecordedScores recorded = RecordedScores.of(directory + "/runs/r1/adapter", CONF);
    write("finetune", NOON.minusSeconds(60), NOON, "");
    write("evaluate", NOON, NOON.plusSeconds(60), "");
    assertThat(recorded.read(CONF)).hasSize(1);
    write("evaluate", NOON, NOON.plusSeconds(60), directory + "/runs/r1/adapter/");
    assertThat(recorded.read(CONF)).hasSize(1);
    write("evaluate", NOON, NOON.plusSeconds(60), directory + "/runs/r2/adapter");
    assertThat(recorded.read(CONF)).isEmpty();
    write("evaluate", NOON, NOON.plusSeconds(60), "");
    write("finetune", NOON.minusSeconds(60), NOON.plusSeconds(1), "");
    assertThat(recorded.read(CONF)).isEmpty();
    write("finetune", NOON.plusSeconds(90), null, "");
    assertThat(recorded.read(CONF)).isEmpty();
  }

  /** An evaluation that failed left the rows of the one before it. */
  @Test
  void anEvaluationThatDidNotSucceedHasNoScores() throws IOException {
    write("r1", 0.875);
    RecordedScores recorded = RecordedScores.of(directory + "/runs/r1/adapter", CONF);
    assertThat(recorded.read(CONF)).isEmpty();
    write("finetune", NOON.minusSeconds(60), NOON, "");
    for (String status : List.of("FAILED", "RUNNING")) {
      write("evaluate", status, NOON, NOON.plusSeconds(60), "");
      assertThat(recorded.read(CONF)).as(status).isEmpty();
    }
    write("evaluate", NOON, NOON.plusSeconds(60), "");
    assertThat(recorded.read(CONF)).hasSize(1);
  }

  @Test
  void anAdapterIsReplacedWithItsScores() throws IOException {
    for (String run : List.of("r1", "r1-b")) {
      write(run, 0.875);
      new TableWriter(
              SharedSparkSession.session(),
              directory.toString(),
              new JobRun(run, LocalDate.of(2026, 1, 5), "evaluate"))
          .replace(
              RecordScoresTable.INSTANCE,
              List.of(new RecordScore(1, "classification", true, 0.5, 0.75, "test")));
    }
    write("finetune", NOON.minusSeconds(60), NOON, "");
    // Scores of other adapters stay.
    write("evaluate", NOON, NOON.plusSeconds(60), directory + "/runs/r2/adapter");
    RecordedScores.remove(directory.toString(), "r1", true, CONF);
    write("evaluate", NOON, NOON.plusSeconds(60), "");
    RecordedScores.remove(directory.toString(), "r1", false, CONF);
    assertThat(values(EvaluationsTable.INSTANCE, Table.RUN_ID))
        .containsExactlyInAnyOrder("r1", "r1-b");
    // There may be nothing to remove.
    RecordedScores.remove(directory + "/new", "r1", true, CONF);
    RecordedScores.remove(directory.toString(), "r1", true, CONF);
    for (Table<?> table : List.of(EvaluationsTable.INSTANCE, RecordScoresTable.INSTANCE)) {
      assertThat(values(table, Table.RUN_ID)).containsExactly("r1-b");
    }
    assertThat(values(RunsTable.INSTANCE, "job")).containsExactly("finetune");
  }

  private List<String> values(Table<?> table, String column) {
    return new TableReader(SharedSparkSession.session(), directory.toString())
        .read(table).select(column).collectAsList().stream().map(row -> row.getString(0)).toList();
  }

  private void write(String job, Instant start, Instant end, String adapter) {
    write(job, end == null ? "RUNNING" : "SUCCEEDED", start, end, adapter);
  }

  private void write(String job, String status, Instant start, Instant end, String adapter) {
    new TableWriter(
            SharedSparkSession.session(),
            directory.toString(),
            new JobRun("r1", LocalDate.of(2026, 1, 5), job))
        .replace(
            RunsTable.INSTANCE,
            List.of(
                new RunsTable.Run(
                    new RunsTable.Execution(job, status, start, end, 2, "1.0"),
                    new RunsTable.Inputs(
                        42,
                        "guilomo",
                        "/models/small",
                        "abc",
                        "/data/train",
                        GuilomoConfig.load(null, List.of("evaluate.adapter=" + adapter)).asJson()),
                    null)));
  }

  private void write(String run, double accuracy) {
    new TableWriter(
            SharedSparkSession.session(),
            directory.toString(),
            new JobRun(run, LocalDate.of(2026, 1, 5), "evaluate"))
        .replace(
            EvaluationsTable.INSTANCE,
            List.of(new Evaluation(42, "guilomo", "test", "accuracy", accuracy, 0.75, 1.0, 40)));
  }
}
