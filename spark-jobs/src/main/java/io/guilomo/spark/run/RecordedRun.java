package io.guilomo.spark.run;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.DataReport;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.spark.checkpoint.JobCheckpoints;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableWriter;
import io.guilomo.spark.table.WrittenRows;
import io.guilomo.spark.tracking.JobTracker;
import io.guilomo.spark.tracking.TrackedJob;
import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;

/**
 * One job of one run: where its files and rows go, and its own row in table {@code runs}, which
 * says RUNNING, then how it ended.
 */
public final class RecordedRun {

  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss");

  private final JobContext context;
  private final GuilomoConfig config;
  private final String job;
  private final boolean reporting;
  private final String runId;
  private final Instant startedAt = Instant.now();
  private final TableWriter tables;
  private final RunDirectory directory;
  private String strategy = "";
  private String backbone;
  private String backboneDigest = "";
  private int workers;
  private DataReport data;
  private volatile JobTracker tracker = JobTracker.none();
  private boolean parts;

  /** What a job does. */
  @FunctionalInterface
  public interface Work<R> {
    R run() throws IOException;
  }

  /**
   * @param reporting whether the run's report is written when the job has succeeded; when it has
   *     failed it always is, as no later job of the run may come
   */
  public RecordedRun(JobContext context, String job, boolean reporting) throws IOException {
    this.context = context;
    this.config = context.config();
    this.job = job;
    this.backbone = config.model().path();
    this.reporting = reporting;
    this.runId =
        config.run().id().isEmpty()
            ? TIME.format(startedAt.atZone(ZoneOffset.UTC)) + "-" + config.run().seed()
            : config.run().id();
    OutputDirectory.require(config.output().dir(), context.hadoop());
    context.publications().require();
    this.directory = new RunDirectory(config.output().dir(), runId, context.hadoop());
    this.tables =
        new TableWriter(
            context.spark(),
            config.output().dir(),
            new JobRun(runId, LocalDate.ofInstant(startedAt, ZoneOffset.UTC), job),
            new Observer());
  }

  /** Tells the tracker, once there is one. */
  private final class Observer implements WrittenRows {
    @Override
    public <R> void wrote(Table<R> table, List<R> rows) {
      tracker.wrote(table, rows);
    }
  }

  public String runId() {
    return runId;
  }

  public TableWriter tables() {
    return tables;
  }

  public RunDirectory directory() {
    return directory;
  }

  /** Records the directory of the backbone where it is not that of {@code model.path}. */
  public void backbone(String directory) {
    this.backbone = directory;
  }

  /** Records which backbone the executors have loaded. */
  public void backboneDigest(String digest) {
    this.backboneDigest = digest;
  }

  /** Records how the records of the job's data were read. */
  public void data(DataReport report) {
    this.data = report;
  }

  /** What earlier attempts of this job left to resume from, and where it leaves its own. */
  public JobCheckpoints checkpoints() throws IOException {
    return new JobCheckpoints(
        directory.path("checkpoints/" + job), context.hadoop(), config.checkpoint().keep());
  }

  /**
   * Does the work and records it: the row says RUNNING, then how it ended. No other submission of
   * the job can run meanwhile.
   *
   * @param allocation strategy of the plan
   * @param count workers that compute concurrently
   * @throws UserException if another submission of the job is running
   */
  public <R> R record(String allocation, int count, Work<R> work) throws IOException {
    this.strategy = allocation;
    this.workers = count;
    SparkContext spark = context.sparkContext();
    try (RunLock held =
        RunLock.take(
            new Path(UserPath.of(config.output().dir()), "locks/" + runId + "." + job),
            context.hadoop(),
            job + " of run " + runId,
            spark.applicationId(),
            spark::cancelAllJobs)) {
      write(RunsTable.RUNNING, null);
      try (Interruption ignored = new Interruption(context, job, runId)) {
        JobCheckpoints checkpoints = checkpoints();
        boolean continues = checkpoints.begin(config.checkpoint().resume());
        tracker = context.tracker().begin(tracked(continues));
        R result = work.run();
        write(RunsTable.SUCCEEDED, Instant.now());
        boolean reported = reporting && report(true);
        // Checkpoints are deleted only after publishing, so that until then a resubmitted job
        // resumes at its end.
        context.publications().ended(runId, parts, checkpoints::end);
        tracker.end(new JobTracker.Ending(null, reported));
        return result;
      } catch (Exception e) { // Scala throws Spark's checked exceptions undeclared.
        // A refusal is the last line that the user should read.
        boolean failed = fail(e);
        boolean reported =
            failed && report(ExceptionUtils.throwableOfType(e, UserException.class) == null);
        if (failed) {
          context.publications().ended(runId, parts, () -> {});
        }
        tracker.end(new JobTracker.Ending(e, reported));
        throw e;
      } catch (Error e) {
        tracker.end(new JobTracker.Ending(e, false));
        throw e;
      }
    }
  }

  /** What jobs that are parts of this one are given, while it is recorded. */
  public JobContext within() {
    parts = true;
    return context.within(tracker);
  }

  private TrackedJob tracked(boolean continues) {
    return new TrackedJob(
        runId,
        job,
        continues,
        startedAt,
        new TrackedJob.Labels(strategy, version(), context.sparkContext().applicationId()),
        config,
        directory.qualified(),
        context.hadoop());
  }

  private static String version() {
    String version = RecordedRun.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  /**
   * Writes the run's report; a job does not fail if that fails.
   *
   * @param said whether the user is told where
   * @return whether it is there
   */
  private boolean report(boolean said) {
    try {
      String path = new ReportJob(context.spark(), config.output().dir()).run(runId);
      if (said) {
        context.message("report written to " + path);
      }
      return true;
    } catch (Exception e) { // Scala throws Spark's checked exceptions undeclared.
      context.message("warning: the report was not written: " + e);
      return false;
    }
  }

  /** Says so in the table, if that can still be written, and whether it could. */
  private boolean fail(Exception reason) {
    try {
      write(RunsTable.FAILED, Instant.now());
      return true;
    } catch (Exception e) {
      reason.addSuppressed(e);
      return false;
    }
  }

  private void write(String status, Instant finishedAt) {
    tables.replace(
        RunsTable.INSTANCE,
        List.of(
            new RunsTable.Run(
                new RunsTable.Execution(job, status, startedAt, finishedAt, workers, version()),
                new RunsTable.Inputs(
                    config.run().seed(),
                    strategy,
                    backbone,
                    status.equals(RunsTable.SUCCEEDED) ? backboneDigest : "",
                    config.data().records().text(),
                    config.asJson()),
                data)));
  }
}
