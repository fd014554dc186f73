package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.TableWriter;
import java.time.Instant;
import java.util.List;

/** The row of a run in table {@code runs}: RUNNING while it runs, then how it ended. */
final class RunRecord {

  private final TableWriter tables;
  private final GuilomoConfig config;
  private final String job;
  private final long seed;
  private final String strategy;
  private final int workers;
  private final Instant startedAt;

  RunRecord(
      TableWriter tables,
      GuilomoConfig config,
      String job,
      long seed,
      String strategy,
      int workers,
      Instant startedAt) {
    this.tables = tables;
    this.config = config;
    this.job = job;
    this.seed = seed;
    this.strategy = strategy;
    this.workers = workers;
    this.startedAt = startedAt;
  }

  void running() {
    write("RUNNING", null, "");
  }

  void succeeded(String backboneDigest) {
    write("SUCCEEDED", Instant.now(), backboneDigest);
  }

  void failed() {
    write("FAILED", Instant.now(), "");
  }

  private void write(String status, Instant finishedAt, String backboneDigest) {
    String version = RunRecord.class.getPackage().getImplementationVersion();
    tables.replace(
        RunsTable.INSTANCE,
        List.of(
            new RunsTable.Run(
                job,
                status,
                startedAt,
                finishedAt,
                seed,
                strategy,
                config.model().path(),
                backboneDigest,
                config.data().train(),
                workers,
                config.asJson(),
                version == null ? "development" : version)));
  }
}
