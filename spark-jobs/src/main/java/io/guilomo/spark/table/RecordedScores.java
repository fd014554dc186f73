package io.guilomo.spark.table;

import io.guilomo.adapter.ModelCard.Score;
import io.guilomo.config.EvaluateConfig;
import io.guilomo.config.EvaluateConfig.Uncertainty;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import java.io.IOException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.example.GroupReadSupport;

/**
 * What table {@code evaluations} has of the run that an adapter belongs to, without Spark.
 *
 * @param runId empty for an adapter that is in no run
 * @param output directory of the run's tables; null if they are not of this adapter
 */
public record RecordedScores(Optional<String> runId, String output) {

  /**
   * @param adapter a directory; one in {@code runs/RUN_ID} of an output directory belongs to that
   *     run, and evaluations are of the best
   */
  public static RecordedScores of(String adapter, Configuration conf) {
    Path path = UserPath.open(adapter, conf).path();
    Path run = path.getParent();
    Path runs = run == null ? null : run.getParent();
    if (runs == null || !runs.getName().equals(RunLayout.RUNS) || !JobRun.isRunId(run.getName())) {
      return new RecordedScores(Optional.empty(), null);
    }
    boolean best = path.getName().equals(RunLayout.ADAPTER);
    return new RecordedScores(
        Optional.of(run.getName()), best ? runs.getParent().toString() : null);
  }

  /**
   * Reads the scores; none where the run has not been evaluated to the end, or with another
   * adapter, or before this one was trained.
   */
  public List<Score> read(Configuration conf) throws IOException {
    if (output == null) {
      return List.of();
    }
    List<Group> evaluated = rows(RunsTable.INSTANCE, JobRun.EVALUATE, conf);
    if (evaluated.isEmpty() || !isOfThis(evaluated.get(0), conf)) {
      return List.of();
    }
    return rows(EvaluationsTable.INSTANCE, JobRun.EVALUATE, conf).stream()
        .map(
            row ->
                new Score(
                    row.getString("split", 0),
                    row.getString("metric", 0),
                    row.getDouble("value", 0),
                    number(row, "ci_low"),
                    number(row, "ci_high"),
                    row.getLong("examples", 0)))
        .toList();
  }

  /**
   * Removes what was measured of an adapter of a run, which another is about to replace, and the
   * evaluation's row in table {@code runs} with it.
   *
   * @param own whether it is the run's own adapter, or one of the further seeds, which only several
   *     adapters together are evaluated with
   */
  public static void remove(String outputDir, String runId, boolean own, Configuration conf)
      throws IOException {
    String output = UserPath.open(outputDir, conf).path().toString();
    RecordedScores scores = new RecordedScores(Optional.of(runId), output);
    for (Group evaluated : scores.rows(RunsTable.INSTANCE, JobRun.EVALUATE, conf)) {
      if (!scores.used(evaluated, own, conf)) {
        return;
      }
    }
    JobRun run = new JobRun(runId, LocalDate.EPOCH, JobRun.EVALUATE);
    for (Table<?> table :
        List.of(RunsTable.INSTANCE, EvaluationsTable.INSTANCE, RecordScoresTable.INSTANCE)) {
      new TableFiles(outputDir, table, run, conf).remove();
    }
  }

  /** Whether an evaluation was of the adapter that is there now. */
  private boolean isOfThis(Group evaluated, Configuration conf) throws IOException {
    if (!evaluated.getString("status", 0).equals(RunsTable.SUCCEEDED)) {
      return false;
    }
    EvaluateConfig asked = asked(evaluated);
    if (asked.uncertainty().method() != Uncertainty.NONE || !isOwn(asked.adapter(), conf)) {
      return false;
    }
    long started = evaluated.getLong("started_at", 0);
    return rows(RunsTable.INSTANCE, JobRun.FINETUNE, conf).stream()
        .allMatch(
            trained ->
                trained.getFieldRepetitionCount("finished_at") > 0
                    && trained.getLong("finished_at", 0) <= started);
  }

  /** Whether an evaluation used the run's own adapter, or may have used that of a further seed. */
  private boolean used(Group evaluated, boolean own, Configuration conf) throws IOException {
    EvaluateConfig asked;
    try {
      asked = asked(evaluated);
    } catch (UserException e) {
      // Another release's, with keys that this one does not know.
      return true;
    }
    return asked.uncertainty().method().isMixture() || (own && isOwn(asked.adapter(), conf));
  }

  private static EvaluateConfig asked(Group evaluated) {
    return GuilomoConfig.fromJson(evaluated.getString("config_json", 0)).evaluate();
  }

  /** Whether {@code evaluate.adapter} names the run's own adapter. */
  private boolean isOwn(String adapter, Configuration conf) throws IOException {
    Path run = new Path(new Path(output, RunLayout.RUNS), runId.orElseThrow());
    return adapter.isBlank()
        || UserPath.open(adapter, conf).path().equals(new Path(run, RunLayout.ADAPTER));
  }

  /** The rows that a job of the run wrote into a table. */
  private List<Group> rows(Table<?> table, String job, Configuration conf) throws IOException {
    JobRun run = new JobRun(runId.orElseThrow(), LocalDate.EPOCH, job);
    TableFiles files = new TableFiles(output, table, run, conf);
    List<Group> rows = new ArrayList<>();
    for (Path partition : files.partitions()) {
      for (Path file : files.parquetFiles(partition)) {
        if (files.owns(file)) {
          read(file, conf, rows);
        }
      }
    }
    return rows;
  }

  private static void read(Path file, Configuration conf, List<Group> rows) throws IOException {
    try (ParquetReader<Group> reader =
        ParquetReader.builder(new GroupReadSupport(), file).withConf(conf).build()) {
      for (Group row = reader.read(); row != null; row = reader.read()) {
        rows.add(row);
      }
    }
  }

  private static double number(Group row, String column) {
    return row.getFieldRepetitionCount(column) == 0 ? Double.NaN : row.getDouble(column, 0);
  }
}
