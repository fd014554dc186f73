package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import io.guilomo.spark.inference.Predicting;
import io.guilomo.spark.table.PredictionsTable;
import io.guilomo.spark.table.TableReader;
import io.guilomo.spark.table.TableWriter;
import java.io.IOException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;

/** Adds what an adapted model makes of them to the records of a table. */
public final class PredictJob {

  static final String NAME = "predict";

  private final SparkSession spark;
  private final GuilomoConfig config;
  private final ProgressListener progress;

  /**
   * What a prediction left.
   *
   * @param runId where its rows are
   * @param rows in the table {@code predictions}
   * @param unreadable rows among them that held no record and have no prediction
   */
  public record Result(String runId, long rows, long unreadable) {}

  public PredictJob(SparkSession spark, GuilomoConfig config, ProgressListener progress) {
    this.spark = spark;
    this.config = config;
    this.progress = progress;
  }

  /**
   * Predicts and writes the rows.
   *
   * @throws UserException for a configuration, adapter or data that cannot be used
   */
  public Result run() throws IOException {
    RecordedRun run = new RecordedRun(spark, config, NAME, progress, true);
    InferenceSetup setup = InferenceSetup.of(spark, config, run.directory());
    return run.record(
        setup.description().plan().strategy(),
        setup.workers(),
        () -> {
          StartChecks.run(spark.sparkContext(), config.model().path(), progress);
          Result result = predict(setup, run.tables(), run.runId());
          run.backboneDigest(setup.description().backboneDigest());
          return result;
        });
  }

  private Result predict(InferenceSetup setup, TableWriter tables, String runId) {
    Dataset<Row> rows = setup.reader().table(config.evaluate().requireData());
    LongAccumulator unreadable = spark.sparkContext().longAccumulator("unreadable rows");
    Dataset<Row> predicted =
        spark.createDataFrame(
            Predicting.predict(
                rows,
                setup.partitions(),
                setup.parser(),
                setup.source(),
                config.evaluate().batchSize(),
                unreadable),
            Predicting.schema(rows));
    try (TaskProgress ignored =
        new TaskProgress(spark.sparkContext(), progress, "predicting", setup.partitions())) {
      tables.replaceKeeping(PredictionsTable.INSTANCE, predicted);
    }
    long written =
        new TableReader(spark, config.output().dir())
            .read(PredictionsTable.INSTANCE, runId)
            .count();
    return new Result(runId, written, unreadable.value());
  }
}
