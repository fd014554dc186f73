package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.DataReport;
import io.guilomo.spark.data.ReadRecord;
import io.guilomo.spark.inference.ScoredRecord;
import io.guilomo.spark.inference.Scoring;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.TableWriter;
import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.SparkSession;

/** Scores an adapter on records whose right answers are known, on all executors. */
public final class EvaluateJob {

  static final String NAME = "evaluate";
  private static final String SPLIT = "test";

  private final SparkSession spark;
  private final GuilomoConfig config;
  private final ProgressListener progress;

  /**
   * What an evaluation found.
   *
   * @param runId where its rows are
   */
  public record Result(String runId, List<EvaluationsTable.Evaluation> evaluations) {}

  public EvaluateJob(SparkSession spark, GuilomoConfig config, ProgressListener progress) {
    this.spark = spark;
    this.config = config;
    this.progress = progress;
  }

  /**
   * Scores and writes the rows.
   *
   * @throws IllegalArgumentException for a configuration, adapter or data that cannot be used
   */
  public Result run() throws IOException {
    Instant startedAt = Instant.now();
    String runId = RunIds.of(config.run(), startedAt);
    RunDirectory directory =
        new RunDirectory(config.output().dir(), runId, spark.sparkContext().hadoopConfiguration());
    InferenceSetup setup = InferenceSetup.of(spark, config, directory);
    TableWriter tables =
        new TableWriter(
            spark,
            config.output().dir(),
            new JobRun(runId, LocalDate.ofInstant(startedAt, ZoneOffset.UTC), NAME));
    RunRecord record =
        new RunRecord(
            tables,
            config,
            NAME,
            config.run().seed(),
            setup.description().plan().strategy(),
            setup.partitions(),
            startedAt);
    record.running();
    try {
      List<ScoredRecord> scored = score(setup);
      List<EvaluationsTable.Evaluation> evaluations =
          new Scores(scored, setup.description(), config.evaluate(), config.run().seed(), SPLIT)
              .evaluations();
      tables.replace(EvaluationsTable.INSTANCE, evaluations);
      record.succeeded(setup.description().backboneDigest());
      return new Result(runId, evaluations);
    } catch (IOException | RuntimeException e) {
      record.failed();
      throw e;
    }
  }

  private List<ScoredRecord> score(InferenceSetup setup) throws IOException {
    String path = config.evaluate().requireData();
    JavaRDD<ReadRecord> records = setup.reader().read(path, true).repartition(setup.partitions());
    List<ScoredRecord> all;
    try (TaskProgress ignored =
        new TaskProgress(spark.sparkContext(), progress, "evaluating", setup.partitions())) {
      all = Scoring.score(records, setup.source(), config.evaluate().batchSize()).collect();
    }
    DataReport report =
        all.stream()
            .map(
                record ->
                    record.bad() == null
                        ? new DataReport(1, 0, 1, 0, 0, 0, List.of(), 0, 0)
                        : DataReport.ofBad(record.bad()))
            .reduce(DataReport.EMPTY, DataReport::merge);
    report.check(path, config.data().maxBadFraction());
    progress.message(
        String.format(
            "%d records: %d scored, %d bad%s",
            report.read(),
            report.validation(),
            report.bad(),
            report.samples().isEmpty() ? "" : ", the first: " + report.samples().get(0)));
    return all.stream()
        .filter(record -> record.bad() == null)
        .sorted(Comparator.comparingLong(ScoredRecord::position))
        .toList();
  }
}
