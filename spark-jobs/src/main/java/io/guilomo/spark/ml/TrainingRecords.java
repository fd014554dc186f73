package io.guilomo.spark.ml;

import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.spark.session.AsNamed;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructField;

/**
 * The rows that an estimator is given, as Parquet, which is what the jobs read: search and
 * fine-tuning see the same rows even if the query that made them would give others the second time.
 *
 * @param directory that is deleted when it is no longer needed
 * @param labels of the classes, by number
 */
record TrainingRecords(Path directory, List<String> labels, Configuration hadoop)
    implements AutoCloseable {

  /** A class of more would rather be a mistake. */
  private static final int MOST_CLASSES = 10_000;

  /**
   * Writes them.
   *
   * @throws UserException if a class is not a whole number from 0
   */
  static TrainingRecords write(TrainingParams<?> params, Dataset<?> data, String directory) {
    StructField field = Columns.requireClasses(params, data.schema());
    Column label = AsNamed.column(field.name()).cast("double");
    List<String> labels = labels(field, data, label);
    Column names = functions.array(labels.stream().map(functions::lit).toArray(Column[]::new));
    List<Column> columns = new ArrayList<>();
    columns.add(AsNamed.column(params.getOrDefault(params.textCol())).as("sentence"));
    Columns.given(params, params.secondTextCol())
        .ifPresent(name -> columns.add(AsNamed.column(name).as("sentence2")));
    columns.add(functions.element_at(names, label.cast("int").plus(1)).as("label"));
    Dataset<Row> records = data.select(columns.toArray(Column[]::new));
    Configuration hadoop = data.sparkSession().sparkContext().hadoopConfiguration();
    TrainingRecords written = new TrainingRecords(UserPath.of(directory), labels, hadoop);
    records.write().parquet(directory);
    return written;
  }

  private static List<String> labels(StructField field, Dataset<?> data, Column label) {
    Row found =
        data.select(label.as("label"))
            .agg(
                functions.max("label"),
                functions.min("label"),
                functions.sum(
                    functions
                        .when(
                            functions
                                .col("label")
                                .isNull()
                                .or(functions.col("label").isNaN())
                                .or(
                                    functions
                                        .col("label")
                                        .notEqual(functions.floor(functions.col("label")))),
                            1)
                        .otherwise(0)))
            .first();
    if (found.isNullAt(2)) {
      throw new UserException("Cannot learn from no rows");
    }
    if (found.getLong(2) > 0) {
      throw new UserException(
          "Cannot learn the classes in column %s: %d rows have no whole number there; fill or drop"
              + " them",
          field.name(), found.getLong(2));
    }
    double largest = found.getDouble(0);
    List<String> known = Columns.classes(field).orElse(null);
    double most = known == null ? MOST_CLASSES : known.size();
    if (found.getDouble(1) < 0 || largest >= most) {
      throw new UserException(
          "Cannot learn the classes in column %s: they go from %.0f to %.0f, expected 0 to %.0f",
          field.name(), found.getDouble(1), largest, most - 1);
    }
    return known != null
        ? known.stream().map(String::strip).toList()
        : IntStream.rangeClosed(0, (int) largest).mapToObj(Integer::toString).toList();
  }

  @Override
  public void close() throws IOException {
    directory.getFileSystem(hadoop).delete(directory, true);
  }
}
