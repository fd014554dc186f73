package io.guilomo.spark.evaluate;

import io.guilomo.data.RecordParser;
import io.guilomo.data.TextRecord;
import io.guilomo.inference.Answer;
import io.guilomo.model.UserException;
import io.guilomo.spark.data.RecordReader;
import io.guilomo.spark.table.PredictionsTable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.LongAccumulator;
import scala.collection.JavaConverters;

/** Adds the answer of a model to every row of a table, on the executors. */
public final class Predicting {

  private Predicting() {}

  /**
   * The columns of the predicted table: those of the records, then {@code prediction}, {@code
   * probabilities}, {@code generated}.
   *
   * @param rows of {@link RecordReader#table}
   * @throws UserException if a column of the records has the name of one of the table's
   */
  public static StructType schema(Dataset<Row> rows) {
    StructType schema = new StructType();
    List<String> own = List.of(PredictionsTable.INSTANCE.schema().fieldNames());
    for (StructField field : rows.schema().fields()) {
      if (own.stream().anyMatch(field.name()::equalsIgnoreCase)) {
        throw new UserException(
            String.format(
                "Cannot keep column %s: table %s has a column of that name; rename it",
                field.name(), PredictionsTable.INSTANCE));
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
   * @param unreadable counts rows that hold no record; their three columns are null
   */
  public static JavaRDD<Row> predict(
      Dataset<Row> rows,
      int partitions,
      RecordParser parser,
      AdaptedModel.Source source,
      int batchSize,
      LongAccumulator unreadable) {
    return rows.toJavaRDD()
        .repartition(partitions)
        .mapPartitions(part -> predict(part, parser, source, batchSize, unreadable));
  }

  private static Iterator<Row> predict(
      Iterator<Row> rows,
      RecordParser parser,
      AdaptedModel.Source source,
      int batchSize,
      LongAccumulator unreadable)
      throws IOException {
    if (!rows.hasNext()) {
      return rows;
    }
    AdaptedModel model = AdaptedModel.open(source);
    return new Batches<>(
        rows,
        batchSize,
        batch -> predict(batch, parser, model, unreadable),
        Scoring.closing(model));
  }

  private static List<Row> predict(
      List<Row> batch, RecordParser parser, AdaptedModel model, LongAccumulator unreadable) {
    List<TextRecord> records = new ArrayList<>();
    boolean[] readable = new boolean[batch.size()];
    for (int i = 0; i < readable.length; i++) {
      String json = batch.get(i).getAs(RecordReader.JSON);
      try {
        if (json != null) {
          records.add(parser.parse(json));
          readable[i] = true;
        }
      } catch (UserException e) {
        // Counted below, as rows that could not even be split are.
      }
    }
    Iterator<Answer> answers =
        records.isEmpty() ? List.<Answer>of().iterator() : model.answer(records).iterator();
    List<Row> predicted = new ArrayList<>();
    for (int i = 0; i < readable.length; i++) {
      if (readable[i]) {
        Answer answer = answers.next();
        predicted.add(
            row(batch.get(i), answer.prediction(), answer.probabilities(), answer.generated()));
      } else {
        unreadable.add(1);
        predicted.add(row(batch.get(i), null, null, null));
      }
    }
    return predicted;
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
