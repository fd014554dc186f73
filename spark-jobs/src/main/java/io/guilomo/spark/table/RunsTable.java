package io.guilomo.spark.table;

import io.guilomo.data.DataReport;
import java.time.Instant;
import org.apache.spark.sql.types.StructType;

/** One row per run and job: what ran, on what, and how it ended. */
public final class RunsTable extends Table<RunsTable.Run> {
  public static final RunsTable INSTANCE = new RunsTable();

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
   * @param status {@code RUNNING}, {@code SUCCEEDED} or {@code FAILED}
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
        new StructType()
            .add("job", STRING)
            .add("status", STRING)
            .add("started_at", TIMESTAMP)
            .add("finished_at", TIMESTAMP)
            .add("seed", BIGINT)
            .add("strategy", STRING)
            .add("backbone", STRING)
            .add("backbone_digest", STRING)
            .add("dataset", STRING)
            .add("workers", BIGINT)
            .add("config_json", STRING)
            .add("version", STRING)
            .add("records", BIGINT)
            .add("train_records", BIGINT)
            .add("validation_records", BIGINT)
            .add("truncated_records", BIGINT)
            .add("dropped_records", BIGINT)
            .add("bad_records", BIGINT)
            .add("first_bad", STRING)
            .add("repeated_records", BIGINT));
  }

  @Override
  Object[] values(Run row) {
    Execution execution = row.execution();
    Inputs inputs = row.inputs();
    DataReport data = row.data();
    return new Object[] {
      execution.job(),
      execution.status(),
      execution.startedAt(),
      execution.finishedAt(),
      inputs.seed(),
      inputs.strategy(),
      inputs.backbone(),
      inputs.backboneDigest(),
      inputs.dataset(),
      execution.workers(),
      inputs.configJson(),
      execution.version(),
      data == null ? null : data.read(),
      data == null ? null : data.train(),
      data == null ? null : data.validation(),
      data == null ? null : data.truncated(),
      data == null ? null : data.dropped(),
      data == null ? null : data.bad(),
      data == null || data.samples().isEmpty() ? null : data.samples().get(0).toString(),
      data == null ? null : data.repeated()
    };
  }
}
