package io.guilomo.spark.evaluate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.DataReport;
import io.guilomo.data.RecordParser;
import io.guilomo.data.TextRecord;
import io.guilomo.inference.Answer;
import io.guilomo.model.RecordSource;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.spark.data.RecordReader;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.preflight.Preflight;
import io.guilomo.spark.progress.TaskProgress;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.session.JavaSerialization;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.PredictionsTable;
import io.guilomo.spark.table.TableReader;
import io.guilomo.spark.table.TableWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.execution.datasources.parquet.ParquetFileFormat;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.collection.JavaConverters;

/** Adds the answers of an adapted model to the records of a table. */
public record PredictJob(JobContext context) {

  public static final String NAME = JobRun.PREDICT;

  /**
   * What a prediction left.
   *
   * @param runId where its rows are
   * @param rows in the table {@code predictions}
   * @param without rows among them without a prediction
   * @param unanswered those of them that have a response
   */
  public record Result(String runId, long rows, long without, long unanswered) {}

  private GuilomoConfig config() {
    return context.config();
  }

  /**
   * Predicts and writes the rows.
   *
   * @throws UserException for a configuration, adapter or data that cannot be used
   */
  public Result run() throws IOException {
    JavaSerialization.require(context.sparkContext().getConf());
    RecordedRun run = new RecordedRun(context, NAME, true);
    InferenceSetup setup = InferenceSetup.of(context, run.directory());
    run.backbone(setup.backbone());
    if (setup.description().task() != Task.CLASSIFICATION
        && config().evaluate().methods().equals(List.of(Answer.TEXT))) {
      throw new UserException(
          "Cannot predict with guilomo.evaluate.methods = [%s]: it measures texts and answers none;"
              + " add generation or choices",
          Answer.TEXT);
    }
    return run.record(
        setup.description().plan().strategy(),
        setup.workers(),
        () -> {
          Preflight.start(context);
          Dataset<Row> rows = setup.reader().table(config().evaluate().requireData());
          StructType schema = schema(rows);
          check(setup, run);
          new UncertaintyFit(context, setup).ensure();
          write(setup, rows, schema, run.tables());
          run.backboneDigest(setup.description().backboneDigest());
          return result(run.runId());
        });
  }

  /** Before the model answers anything: whether as many records can be read as must be. */
  private void check(InferenceSetup setup, RecordedRun run) {
    RecordSource source = config().evaluate().requireData();
    DataReport report = setup.reader().report(source);
    run.data(report);
    report.check(source.name(), config().data().maxBadFraction());
    if (report.bad() > 0) {
      context.message(
          "%d records: %d get no prediction, the first: %s"
              .formatted(report.read(), report.bad(), report.samples().get(0)));
    }
  }

  private void write(
      InferenceSetup setup, Dataset<Row> rows, StructType schema, TableWriter tables) {
    Dataset<Row> predicted =
        context
            .spark()
            .createDataFrame(
                predict(
                    rows,
                    setup.partitions(),
                    setup.parser(),
                    setup.ensemble(),
                    config().evaluate().batchSize()),
                schema);
    try (TaskProgress ignored =
        new TaskProgress(
            context.sparkContext(), context.progress(), "predicting", setup.partitions())) {
      tables.replaceWithInputColumns(PredictionsTable.INSTANCE, predicted);
    }
  }

  private Result result(String runId) {
    Column without = col("prediction").isNull();
    Row counted =
        new TableReader(context.spark(), config().output().dir())
            .read(PredictionsTable.INSTANCE, runId)
            .agg(
                count(lit(1)),
                count(when(without, 1)),
                count(when(without.and(col("generated").isNotNull()), 1)))
            .first();
    return new Result(runId, counted.getLong(0), counted.getLong(1), counted.getLong(2));
  }

  /**
   * The columns of the predicted table: those of the records, then {@code prediction}, {@code
   * probabilities}, {@code generated}.
   *
   * @param rows of {@link RecordReader#table}
   * @throws UserException if a column of the records has the name of one of the table's, or a type
   *     that no Parquet file has
   */
  static StructType schema(Dataset<Row> rows) {
    StructType schema = new StructType();
    List<String> own = List.of(PredictionsTable.INSTANCE.schema().fieldNames());
    for (StructField field : rows.schema().fields()) {
      if (own.stream().anyMatch(field.name()::equalsIgnoreCase)) {
        throw new UserException(
            "Cannot keep column %s: table %s has a column of that name; rename it",
            field.name(), PredictionsTable.INSTANCE);
      }
      for (StructField other : schema.fields()) {
        if (other.name().equalsIgnoreCase(field.name())) {
          throw new UserException(
              "Cannot keep columns %s and %s: their names differ at most by case; rename one",
              other.name(), field.name());
        }
      }
      if (!new ParquetFileFormat().supportDataType(field.dataType())) {
        throw new UserException(
            "Cannot keep column %s of type %s: Parquet has no such type; cast it to another, such as"
                + " string, or leave it out",
            field.name(), field.dataType().simpleString());
      }
      schema = field.name().equals(RecordReader.JSON) ? schema : schema.add(field);
    }
    for (String name : List.of("prediction", "probabilities", "generated")) {
      schema = schema.add(PredictionsTable.INSTANCE.schema().apply(name));
    }
    return schema;
  }

  /**
   * @param rows of {@link RecordReader#table}
   * @param batchSize rows that are run together
   */
  private static JavaRDD<Row> predict(
      Dataset<Row> rows, int partitions, RecordParser parser, Ensemble ensemble, int batchSize) {
    return rows.toJavaRDD()
        .repartition(partitions)
        .mapPartitions(
            part -> ensemble.map(part, batchSize, (batch, model) -> predict(batch, parser, model)));
  }

  private static List<Row> predict(List<Row> batch, RecordParser parser, AdaptedModel model) {
    List<TextRecord> records = new ArrayList<>();
    for (Row row : batch) {
      records.add(record(row, parser));
    }
    List<Answer> answers = model.answerAny(records);
    List<Row> predicted = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      Answer answer = answers.get(i);
      if (answer == null) {
        predicted.add(row(batch.get(i), null, null, null));
      } else {
        predicted.add(
            row(batch.get(i), answer.prediction(), answer.probabilities(), answer.generated()));
      }
    }
    return predicted;
  }

  /** The record of a row; null if it holds none. */
  private static TextRecord record(Row row, RecordParser parser) {
    String json = row.getAs(RecordReader.JSON);
    try {
      return json == null ? null : parser.parse(json);
    } catch (UserException e) {
      // Counted with the rows that could not even be split.
      return null;
    }
  }

  private static Row row(
      Row record, String prediction, Map<String, Double> probabilities, String generated) {
    // The record's JSON is its last column.
    int kept = record.size() - 1;
    Object[] values = new Object[kept + 3];
    for (int i = 0; i < kept; i++) {
      values[i] = record.get(i);
    }
    values[kept] = prediction;
    values[kept + 1] = probabilities == null ? null : JavaConverters.mapAsScalaMap(probabilities);
    values[kept + 2] = generated;
    return RowFactory.create(values);
  }
}
