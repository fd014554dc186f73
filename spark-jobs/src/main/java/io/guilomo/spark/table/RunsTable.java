package io.guilomo.spark.table;

import io.guilomo.data.DataReport;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;

/** One row per run and job: what ran, on what, and how it ended. */
public final class RunsTable extends Table<RunsTable.Run> {
  public static final RunsTable INSTANCE = new RunsTable();

  /** Status of a job that has not ended, or whose process was killed. */
  public static final String RUNNING = "RUNNING";

  public static final String SUCCEEDED = "SUCCEEDED";
  public static final String FAILED = "FAILED";

  /**
   * One row.
   *
   * @param data what became of the records that the job read; null if it read none
   */
  public record Run(Execution execution, Inputs inputs, DataReport data) {}

  /**
   * What ran, and how it ended.
   *
   * @param job the command that ran
   * @param status {@link #RUNNING}, {@link #SUCCEEDED} or {@link #FAILED}
   * @param finishedAt null while the job runs
   * @param workers workers that train concurrently
   * @param version release of this project
   */
  public record Execution(
      String job,
      String status,
      Instant startedAt,
      Instant finishedAt,
      long workers,
      String version) {}

  /**
   * What it ran on.
   *
   * @param strategy allocation strategy of its plan
   * @param backbone path of the frozen model
   * @param backboneDigest SHA-256 of its tensors; empty if the job did not get that far
   * @param dataset path of the training records
   * @param configJson the resolved configuration
   */
  public record Inputs(
      long seed,
      String strategy,
      String backbone,
      String backboneDigest,
      String dataset,
      String configJson) {}

  private RunsTable() {
    super(
        "runs",
        3,
        List.of(
            column("job", STRING, row -> row.execution().job()),
            column("status", STRING, row -> row.execution().status()),
            column("started_at", TIMESTAMP, row -> row.execution().startedAt()),
            column("finished_at", TIMESTAMP, row -> row.execution().finishedAt()),
            column("seed", BIGINT, row -> row.inputs().seed()),
            column("strategy", STRING, row -> row.inputs().strategy()),
            column("backbone", STRING, row -> row.inputs().backbone()),
            column("backbone_digest", STRING, row -> row.inputs().backboneDigest()),
            column("dataset", STRING, row -> row.inputs().dataset()),
            column("workers", BIGINT, row -> row.execution().workers()),
            column("config_json", STRING, row -> row.inputs().configJson()),
            column("version", STRING, row -> row.execution().version()),
            column("records", BIGINT, ofData(DataReport::read)),
            column("train_records", BIGINT, ofData(DataReport::train)),
            column("validation_records", BIGINT, ofData(DataReport::validation)),
            column("truncated_records", BIGINT, ofData(DataReport::truncated)),
            column("dropped_records", BIGINT, ofData(DataReport::dropped)),
            column("bad_records", BIGINT, ofData(DataReport::bad)),
            column(
                "first_bad",
                STRING,
                ofData(data -> data.samples().isEmpty() ? null : data.samples().get(0).toString())),
            column("repeated_records", BIGINT, ofData(DataReport::repeated))));
  }

  /** Null if the job read no records. */
  private static <V> Function<Run, Object> ofData(Function<DataReport, V> value) {
    return row -> row.data() == null ? null : value.apply(row.data());
  }
}
