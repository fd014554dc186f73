package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.TableWriter;
import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/**
 * One job of one run: where its files and rows go, and its own row in table {@code runs}, RUNNING
 * while it runs, then how it ended.
 */
final class RecordedRun {

  private final GuilomoConfig config;
  private final String job;
  private final String runId;
  private final Instant startedAt = Instant.now();
  private final TableWriter tables;
  private final RunDirectory directory;
  private String strategy = "";
  private String backboneDigest = "";
  private int workers;

  /** What a job does. */
  @FunctionalInterface
  interface Work<R> {
    R run() throws IOException;
  }

  RecordedRun(SparkSession spark, GuilomoConfig config, String job) throws IOException {
    this.config = config;
    this.job = job;
    this.runId = RunIds.of(config.run(), startedAt);
    this.directory =
        new RunDirectory(config.output().dir(), runId, spark.sparkContext().hadoopConfiguration());
    this.tables =
        new TableWriter(
            spark,
            config.output().dir(),
            new JobRun(runId, LocalDate.ofInstant(startedAt, ZoneOffset.UTC), job));
  }

  String runId() {
    return runId;
  }

  TableWriter tables() {
    return tables;
  }

  RunDirectory directory() {
    return directory;
  }

  /** Notes which backbone the executors have loaded. */
  void backboneDigest(String digest) {
    this.backboneDigest = digest;
  }

  /**
   * Does the work between the row's RUNNING and what came of it.
   *
   * @param allocation strategy of the plan
   * @param count workers that compute at a time
   */
  <R> R record(String allocation, int count, Work<R> work) throws IOException {
    this.strategy = allocation;
    this.workers = count;
    write("RUNNING", null);
    try {
      R result = work.run();
      write("SUCCEEDED", Instant.now());
      return result;
    } catch (IOException | RuntimeException e) {
      write("FAILED", Instant.now());
      throw e;
    }
  }

  private void write(String status, Instant finishedAt) {
    String version = RecordedRun.class.getPackage().getImplementationVersion();
    tables.replace(
        RunsTable.INSTANCE,
        List.of(
            new RunsTable.Run(
                job,
                status,
                startedAt,
                finishedAt,
                config.run().seed(),
                strategy,
                config.model().path(),
                status.equals("SUCCEEDED") ? backboneDigest : "",
                config.data().train(),
                workers,
                config.asJson(),
                version == null ? "development" : version)));
  }
}
