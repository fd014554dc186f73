package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.inference.Predicting;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.PredictionsTable;
import io.guilomo.spark.table.TableReader;
import io.guilomo.spark.table.TableWriter;
import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
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
      Result result = predict(setup, tables, runId);
      record.succeeded(setup.description().backboneDigest());
      return result;
    } catch (RuntimeException e) {
      record.failed();
      throw e;
    }
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
