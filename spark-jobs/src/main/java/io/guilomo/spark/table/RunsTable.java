package io.guilomo.spark.table;

import io.guilomo.data.DataReport;
import java.time.Instant;
import org.apache.spark.sql.types.StructType;

/** One row a run and job: what ran, on what, how it ended. */
public final class RunsTable extends Table<RunsTable.Run> {
  public static final RunsTable INSTANCE = new RunsTable();

  /**
   * One row.
   *
   * @param job the command that ran
   * @param status {@code RUNNING}, {@code SUCCEEDED} or {@code FAILED}
   * @param finishedAt null while it runs
   * @param backbone where the frozen model was read from
   * @param backboneDigest digest of its weights
   * @param dataset where the training data were read from
   * @param configJson the resolved configuration
   * @param version release of this project
   * @param data what became of the records that the job read; null where it read none
   */
  public record Run(
      String job,
      String status,
      Instant startedAt,
      Instant finishedAt,
      long seed,
      String strategy,
      String backbone,
      String backboneDigest,
      String dataset,
      long workers,
      String configJson,
      String version,
      DataReport data) {}

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
    DataReport data = row.data();
    return new Object[] {
      row.job(),
      row.status(),
      row.startedAt(),
      row.finishedAt(),
      row.seed(),
      row.strategy(),
      row.backbone(),
      row.backboneDigest(),
      row.dataset(),
      row.workers(),
      row.configJson(),
      row.version(),
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
