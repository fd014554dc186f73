package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.DataReport;
import io.guilomo.model.UserException;
import io.guilomo.spark.checkpoint.JobCheckpoints;
import io.guilomo.spark.checkpoint.RunLock;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.TableWriter;
import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * One job of one run: where its files and rows go, and its own row in table {@code runs}, RUNNING
 * while it runs, then how it ended.
 */
final class RecordedRun {

  private final SparkSession spark;
  private final GuilomoConfig config;
  private final String job;
  private final ProgressListener progress;
  private final boolean reporting;
  private final String runId;
  private final Instant startedAt = Instant.now();
  private final TableWriter tables;
  private final RunDirectory directory;
  private String strategy = "";
  private String backboneDigest = "";
  private int workers;
  private DataReport data;

  /** What a job does. */
  @FunctionalInterface
  interface Work<R> {
    R run() throws IOException;
  }

  /**
   * @param reporting whether the run's report is written when the job has succeeded; when it has
   *     failed it always is, as no later job of the run may come
   */
  RecordedRun(
      SparkSession spark,
      GuilomoConfig config,
      String job,
      ProgressListener progress,
      boolean reporting)
      throws IOException {
    this.spark = spark;
    this.config = config;
    this.job = job;
    this.progress = progress;
    this.reporting = reporting;
    this.runId = RunIds.of(config.run(), startedAt);
    RunDirectory.requireDirectory(
        config.output().dir(), spark.sparkContext().hadoopConfiguration());
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

  /** Notes what became of the records that the job read. */
  void data(DataReport report) {
    this.data = report;
  }

  /** What earlier attempts of this job left to go on from, and where it leaves the same. */
  JobCheckpoints checkpoints() throws IOException {
    return new JobCheckpoints(
        directory.path("checkpoints/" + job),
        spark.sparkContext().hadoopConfiguration(),
        config.checkpoint().keep());
  }

  /**
   * Does the work between the row's RUNNING and what came of it, while no other submission may.
   *
   * @param allocation strategy of the plan
   * @param count workers that compute at a time
   * @throws UserException if another submission is at it
   */
  <R> R record(String allocation, int count, Work<R> work) throws IOException {
    this.strategy = allocation;
    this.workers = count;
    SparkContext context = spark.sparkContext();
    try (RunLock held =
        RunLock.take(
            new Path(config.output().dir(), "locks/" + runId + "." + job),
            context.hadoopConfiguration(),
            job + " of run " + runId,
            context.applicationId(),
            context::cancelAllJobs)) {
      write("RUNNING", null);
      try {
        JobCheckpoints checkpoints = checkpoints();
        checkpoints.begin(config.checkpoint().resume());
        R result = work.run();
        write("SUCCEEDED", Instant.now());
        checkpoints.end();
        if (reporting) {
          report();
        }
        return result;
      } catch (Exception e) { // Scala throws Spark's checked exceptions undeclared.
        if (fail(e)) {
          report();
        }
        throw e;
      }
    }
  }

  /** Writes the run's report, which is nothing that a job may fail for. */
  private void report() {
    try {
      progress.message(
          "report written to " + new ReportJob(spark, config.output().dir()).run(runId));
    } catch (Exception e) { // Scala throws Spark's checked exceptions undeclared.
      progress.message("warning: the report was not written: " + e);
    }
  }

  /** Says so in the table, if that can still be written, and whether it could. */
  private boolean fail(Exception reason) {
    try {
      write("FAILED", Instant.now());
      return true;
    } catch (Exception e) {
      reason.addSuppressed(e);
      return false;
    }
  }

  private void write(String status, Instant finishedAt) {
    String version = RecordedRun.class.getPackage().getImplementationVersion();
    tables.replace(
        RunsTable.INSTANCE,
        List.of(
            new RunsTable.Run(
                new RunsTable.Execution(
                    job,
                    status,
                    startedAt,
                    finishedAt,
                    workers,
                    version == null ? "development" : version),
                new RunsTable.Inputs(
                    config.run().seed(),
                    strategy,
                    config.model().path(),
                    status.equals("SUCCEEDED") ? backboneDigest : "",
                    config.data().train(),
                    config.asJson()),
                data)));
  }
}
