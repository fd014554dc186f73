package io.guilomo.spark.ml;

import io.guilomo.data.Listing;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.spark.session.AsNamed;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
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

  /** More classes than this are taken for a mistake. */
  private static final int MOST_CLASSES = 10_000;

  /** The column of the classes' numbers, which only {@link #labels} reads. */
  private static final String NUMBER = "_guilomo_class";

  /**
   * Writes them, and then reads the labels from what was written: the rows are computed once.
   *
   * @throws UserException if a class is not a whole number from 0, or there are fewer than two
   */
  static TrainingRecords write(TrainingParams<?> params, Dataset<?> data, String directory) {
    StructField field = Columns.requireClasses(params, data.schema());
    SparkSession spark = data.sparkSession();
    TrainingRecords begun =
        new TrainingRecords(
            UserPath.of(directory), List.of(), spark.sparkContext().hadoopConfiguration());
    try {
      records(params, data, field).write().parquet(directory);
      return begun.with(labels(field, AsNamed.reader(spark).parquet(directory)));
    } catch (Exception e) { // Spark throws checked exceptions that its methods do not declare.
      try {
        begun.close();
      } catch (IOException notDeleted) {
        e.addSuppressed(notDeleted);
      }
      throw e;
    }
  }

  private TrainingRecords with(List<String> found) {
    return new TrainingRecords(directory, found, hadoop);
  }

  private static Dataset<Row> records(
      TrainingParams<?> params, Dataset<?> data, StructField field) {
    List<Column> columns = new ArrayList<>();
    columns.add(AsNamed.column(params.getOrDefault(params.textCol())).as("sentence"));
    Columns.given(params, params.secondTextCol())
        .ifPresent(name -> columns.add(AsNamed.column(name).as("sentence2")));
    Column number = AsNamed.column(field.name()).cast("double");
    Optional<List<String>> known = known(field);
    Column name =
        known
            .map(
                names ->
                    functions.element_at(
                        functions.array(names.stream().map(functions::lit).toArray(Column[]::new)),
                        number.cast("int").plus(1)))
            .orElse(number.cast("int").cast("string"));
    Column isClass = number.geq(0).and(number.lt(most(known)));
    columns.add(functions.when(isClass, name).as("label"));
    columns.add(number.as(NUMBER));
    return data.select(columns.toArray(Column[]::new));
  }

  private static Optional<List<String>> known(StructField field) {
    return Columns.classes(field).map(names -> names.stream().map(String::strip).toList());
  }

  private static int most(Optional<List<String>> known) {
    return known.map(List::size).orElse(MOST_CLASSES);
  }

  private static List<String> labels(StructField field, Dataset<Row> written) {
    Column number = functions.col(NUMBER);
    Row found =
        written
            .agg(
                functions.max(NUMBER),
                functions.min(NUMBER),
                functions.sum(
                    functions
                        .when(
                            number
                                .isNull()
                                .or(number.isNaN())
                                .or(number.notEqual(functions.floor(number))),
                            1)
                        .otherwise(0)))
            .first();
    if (found.isNullAt(2)) {
      throw new UserException(
          "Cannot learn from an empty data set: give fit at least one row of each class");
    }
    if (found.getLong(2) > 0) {
      throw new UserException(
          "Cannot learn the classes in column %s: %d rows have no whole number there; fill or drop"
              + " them",
          field.name(), found.getLong(2));
    }
    double largest = found.getDouble(0);
    Optional<List<String>> known = known(field);
    int most = most(known);
    if (found.getDouble(1) < 0 || largest >= most) {
      throw new UserException(
          "Cannot learn the classes in column %s: they go from %.0f to %.0f, expected 0 to %d",
          field.name(), found.getDouble(1), largest, most - 1);
    }
    List<String> labels =
        known.orElseGet(
            () -> IntStream.rangeClosed(0, (int) largest).mapToObj(Integer::toString).toList());
    if (labels.size() < 2 || labels.stream().distinct().count() < labels.size()) {
      throw new UserException(
          "Cannot learn the classes in column %s: %s; expected two or more with different names",
          field.name(), Listing.of(labels, Columns.NAMED));
    }
    return labels;
  }

  @Override
  public void close() throws IOException {
    directory.getFileSystem(hadoop).delete(directory, true);
  }
}
