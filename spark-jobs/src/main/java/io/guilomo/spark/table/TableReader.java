package io.guilomo.spark.table;

import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.spark.session.AsNamed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Opens the tables of an output directory. */
public record TableReader(SparkSession spark, String outputDir) {

  /**
   * @throws UserException if the directory has no tables
   */
  public void requireTables() {
    Path tables = new Path(UserPath.of(outputDir), "tables");
    try {
      if (tables.getFileSystem(spark.sparkContext().hadoopConfiguration()).exists(tables)) {
        return;
      }
    } catch (IOException e) {
      throw new UserException("Cannot open " + tables + ": " + e.getMessage(), e);
    }
    throw new UserException(
        "Cannot open "
            + tables
            + ": there is no such directory; has any job been run with this output?");
  }

  /**
   * All rows, with the columns of {@link Table#schema()}: no rows if nothing has been written yet,
   * nulls in columns unknown to the release that wrote a row. The dataset reads the files that
   * exist now.
   */
  public Dataset<Row> read(Table<?> table) {
    Path root = TableFiles.root(outputDir, table);
    try {
      if (!root.getFileSystem(spark.sparkContext().hadoopConfiguration()).exists(root)) {
        return spark.createDataFrame(List.of(), table.schema());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read table " + table + " in " + outputDir, e);
    }
    return AsNamed.reader(spark).schema(table.schema()).parquet(root.toString());
  }

  /**
   * All rows with all columns that any run wrote: {@code predictions} also have the columns of
   * their records, as text where the types of several runs differ.
   */
  Dataset<Row> readAll(Table<?> table) {
    Dataset<Row> own = read(table);
    if (table != PredictionsTable.INSTANCE || own.isEmpty()) {
      return own;
    }
    String root = TableFiles.root(outputDir, table).toString();
    try {
      StructType merged =
          AsNamed.reader(spark).option("mergeSchema", "true").parquet(root).schema();
      return AsNamed.reader(spark)
          .schema(Table.withDirectories(withoutDirectories(merged)))
          .parquet(root);
    } catch (Exception e) { // Spark throws checked exceptions that its methods do not declare.
      if (isOfTwoTypes(e)) {
        return new MergedRuns(spark, root).read();
      }
      throw e;
    }
  }

  private static StructType withoutDirectories(StructType schema) {
    return new StructType(
        Arrays.stream(schema.fields())
            .filter(field -> !List.of(Table.RUN_DATE, Table.RUN_ID).contains(field.name()))
            .toArray(StructField[]::new));
  }

  /** Whether files cannot be read together as a column has other types in some. */
  private static boolean isOfTwoTypes(Exception exception) {
    return ExceptionUtils.getThrowableList(exception).stream()
        .anyMatch(
            cause ->
                cause instanceof SparkThrowable known
                    && known.getErrorClass() != null
                    && known.getErrorClass().startsWith("CANNOT_MERGE_"));
  }

  /** The rows of one run. */
  public Dataset<Row> read(Table<?> table, String runId) {
    JobRun.checkRunId(runId);
    return read(table, (system, root) -> TableFiles.partitions(system, root, runId));
  }

  /**
   * The rows of some runs, as {@link #read(Table)}. What it costs does not grow with the number of
   * other runs, but for listing their names.
   */
  public Dataset<Row> read(Table<?> table, Predicate<String> runs) {
    return read(table, (system, root) -> TableFiles.partitions(system, root, runs));
  }

  /** Finds directories of runs in a table. */
  private interface Partitions {
    List<Path> of(FileSystem system, Path root) throws IOException;
  }

  private Dataset<Row> read(Table<?> table, Partitions partitions) {
    Path root = TableFiles.root(outputDir, table);
    try {
      FileSystem system = root.getFileSystem(spark.sparkContext().hadoopConfiguration());
      return read(
          table, table.schema(), partitions.of(system, root).stream().map(Path::toString).toList());
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read table " + table + " in " + outputDir, e);
    }
  }

  /** The rows in directories of runs, with the columns of a schema. */
  Dataset<Row> read(Table<?> table, StructType schema, List<String> partitions) {
    return partitions.isEmpty()
        ? spark.createDataFrame(List.of(), schema)
        : AsNamed.reader(spark)
            .schema(schema)
            .option("basePath", TableFiles.root(outputDir, table).toString())
            .parquet(partitions.toArray(String[]::new));
  }
}
