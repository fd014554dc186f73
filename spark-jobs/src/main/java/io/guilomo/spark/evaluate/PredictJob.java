package io.guilomo.spark.evaluate;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.preflight.StartChecks;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.progress.TaskProgress;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.table.PredictionsTable;
import io.guilomo.spark.table.TableReader;
import io.guilomo.spark.table.TableWriter;
import java.io.IOException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;

/** Adds the answers of an adapted model to the records of a table. */
public final class PredictJob {

  public static final String NAME = "predict";

  private final JobContext context;
  private final GuilomoConfig config;

  /**
   * What a prediction left.
   *
   * @param runId where its rows are
   * @param rows in the table {@code predictions}
   * @param unreadable rows among them that held no record and have no prediction
   */
  public record Result(String runId, long rows, long unreadable) {}

  public PredictJob(SparkSession spark, GuilomoConfig config, ProgressListener progress) {
    this(new JobContext(spark, config, progress));
  }

  public PredictJob(JobContext context) {
    this.context = context;
    this.config = context.config();
  }

  /**
   * Predicts and writes the rows.
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
          Result result = predict(setup, run.tables(), run.runId());
          run.backboneDigest(setup.description().backboneDigest());
          return result;
        });
  }

  private Result predict(InferenceSetup setup, TableWriter tables, String runId) {
    Dataset<Row> rows = setup.reader().table(config.evaluate().requireData());
    LongAccumulator unreadable = context.sparkContext().longAccumulator("unreadable rows");
    Dataset<Row> predicted =
        context
            .spark()
            .createDataFrame(
                Predicting.predict(
                    rows,
                    setup.partitions(),
                    setup.parser(),
                    setup.source(),
                    config.evaluate().batchSize(),
                    unreadable),
                Predicting.schema(rows));
    try (TaskProgress ignored =
        new TaskProgress(
            context.sparkContext(), context.progress(), "predicting", setup.partitions())) {
      tables.replaceKeeping(PredictionsTable.INSTANCE, predicted);
    }
    long written =
        new TableReader(context.spark(), config.output().dir())
            .read(PredictionsTable.INSTANCE, runId)
            .count();
    return new Result(runId, written, unreadable.value());
  }
}
