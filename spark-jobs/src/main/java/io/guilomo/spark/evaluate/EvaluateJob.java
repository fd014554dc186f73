package io.guilomo.spark.evaluate;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.DataReport;
import io.guilomo.model.UserException;
import io.guilomo.spark.data.ReadRecord;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.preflight.StartChecks;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.progress.TaskProgress;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.table.EvaluationsTable;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.SparkSession;

/** Scores an adapter on records whose right answers are known, on all executors. */
public final class EvaluateJob {

  public static final String NAME = "evaluate";
  private static final String SPLIT = "test";

  private final JobContext context;
  private final GuilomoConfig config;

  /**
   * What an evaluation found.
   *
   * @param runId where its rows are
   */
  public record Result(String runId, List<EvaluationsTable.Evaluation> evaluations) {}

  public EvaluateJob(SparkSession spark, GuilomoConfig config, ProgressListener progress) {
    this(new JobContext(spark, config, progress));
  }

  public EvaluateJob(JobContext context) {
    this.context = context;
    this.config = context.config();
  }

  /**
   * Scores and writes the rows.
   *
   * @throws UserException for a configuration, adapter or data that cannot be used
   */
  public Result run() throws IOException {
    RecordedRun run = new RecordedRun(context, NAME, true);
    InferenceSetup setup = InferenceSetup.of(context, run.directory());
    return run.record(
        setup.description().plan().strategy(),
        setup.workers(),
        () -> {
          StartChecks.run(context);
          List<ScoredRecord> scored = score(setup, run);
          List<EvaluationsTable.Evaluation> evaluations =
              new Scores(scored, setup.description(), config.evaluate(), config.run().seed(), SPLIT)
                  .evaluations();
          run.tables().replace(EvaluationsTable.INSTANCE, evaluations);
          run.backboneDigest(setup.description().backboneDigest());
          return new Result(run.runId(), evaluations);
        });
  }

  private List<ScoredRecord> score(InferenceSetup setup, RecordedRun run) throws IOException {
    String path = config.evaluate().requireData();
    JavaRDD<ReadRecord> records = setup.reader().read(path, true).repartition(setup.partitions());
    List<ScoredRecord> all;
    try (TaskProgress ignored =
        new TaskProgress(
            context.sparkContext(), context.progress(), "evaluating", setup.partitions())) {
      all = Scoring.score(records, setup.source(), config.evaluate().batchSize()).collect();
    }
    DataReport report =
        all.stream()
            .map(
                record ->
                    record.bad() == null ? DataReport.ofScored() : DataReport.ofBad(record.bad()))
            .reduce(DataReport.EMPTY, DataReport::merge);
    run.data(report);
    report.check(path, config.data().maxBadFraction());
    context.message(
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
