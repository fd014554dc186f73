package io.guilomo.spark.table;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.guilomo.model.UserException;
import io.guilomo.spark.session.AsNamed;
import io.guilomo.spark.session.InterpretedSession;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructField;

/**
 * Writes the rows of one job of a run. They replace earlier rows of the run, whatever their date,
 * so a job that is run again leaves the tables as if it had run once. In tables with a column
 * {@code job}, they replace only rows of the same job. There may be one writer per run and job;
 * other runs may write to the same tables concurrently.
 */
public final class TableWriter {
  private final SparkSession spark;

  private final String outputDir;
  private final JobRun run;
  private final WrittenRows observer;

  /** Sets the session to write Parquet timestamps as microseconds. */
  public TableWriter(SparkSession spark, String outputDir, JobRun run) {
    this(spark, outputDir, run, WrittenRows.IGNORED);
  }

  /**
   * The same with an observer.
   *
   * @param observer is told of rows that are given as a list
   */
  public TableWriter(SparkSession spark, String outputDir, JobRun run, WrittenRows observer) {
    this.spark = InterpretedSession.beside(spark);
    this.outputDir = outputDir;
    this.run = run;
    this.observer = observer;
    for (SparkSession session : List.of(spark, this.spark)) {
      session.conf().set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS");
    }
  }

  /** Replaces the earlier rows, which stay if this fails. */
  public <R> void replace(Table<R> table, List<R> rows) {
    replaceFiles(table, dataset(table, rows));
    observer.wrote(table, rows);
  }

  /**
   * Replaces the earlier rows with those of a distributed dataset, whose other columns are kept,
   * before the table's own. The earlier rows stay if this fails.
   *
   * @param rows must have at least the table's own columns, by name
   */
  public void replaceWithInputColumns(Table<?> table, Dataset<Row> rows) {
    List<String> own = List.of(table.columns().fieldNames());
    List<Column> others =
        Arrays.stream(rows.columns())
            .filter(name -> !own.contains(name))
            .map(AsNamed::column)
            .toList();
    replaceFiles(table, rows.select(columns(table, rows, others)));
  }

  private static Column[] columns(Table<?> table, Dataset<Row> rows, List<Column> others) {
    List<String> given = Arrays.asList(rows.columns());
    List<Column> columns = new ArrayList<>(others);
    for (StructField field : table.columns().fields()) {
      if (!given.contains(field.name())) {
        throw new UserException(
            "Cannot write table " + table + ": column " + field.name() + " is missing");
      }
      columns.add(col(field.name()).cast(field.dataType()));
    }
    columns.add(lit(table.schemaVersion()).as(Table.SCHEMA_VERSION));
    return columns.toArray(Column[]::new);
  }

  /** Removes the earlier rows; the table is then filled round by round. */
  public <R> RoundAppender<R> begin(Table<R> table) {
    try {
      TableFiles files = files(table);
      files.remove();
      return new RoundAppender<>(this, table, files, Map.of());
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot empty table " + table + " of run " + run.runId(), e);
    }
  }

  /**
   * Resumes an earlier attempt: keeps the rows of each seed up to its last round, and removes all
   * others.
   */
  public <R> RoundAppender<R> resume(Table<R> table, Map<Long, Long> lastRounds) {
    Column kept = lit(false);
    for (Map.Entry<Long, Long> last : lastRounds.entrySet()) {
      kept = kept.or(col("seed").equalTo(last.getKey()).and(col("round").leq(last.getValue())));
    }
    Column keep = kept;
    rewrite(table, own -> own.filter(keep));
    try {
      return new RoundAppender<>(this, table, files(table), lastRounds);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot resume table " + table + " of run " + run.runId(), e);
    }
  }

  /** Replaces the rows with a function of them, in one file. */
  void rewrite(Table<?> table, UnaryOperator<Dataset<Row>> change) {
    try {
      TableFiles files = files(table);
      if (!files.owned().isEmpty()) {
        // Directories and a pattern, because Spark starts a job to list many individual paths.
        String[] partitions =
            files.partitions().stream().map(Path::toString).toArray(String[]::new);
        Dataset<Row> own =
            AsNamed.reader(spark)
                .schema(table.fileSchema())
                .option("pathGlobFilter", files.ownedNames())
                .parquet(partitions);
        replaceFiles(table, change.apply(own).coalesce(1));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot rewrite table " + table + " of run " + run.runId(), e);
    }
  }

  WrittenRows observer() {
    return observer;
  }

  <R> Dataset<Row> dataset(Table<R> table, List<R> rows) {
    return spark
        .createDataFrame(rows.stream().map(table::row).toList(), table.fileSchema())
        .coalesce(1);
  }

  /** Writes Parquet files, without a success marker, to a new directory. */
  static void write(Dataset<Row> rows, Path directory) {
    rows.write()
        .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        .parquet(directory.toString());
  }

  private void replaceFiles(Table<?> table, Dataset<Row> rows) {
    try {
      TableFiles files = files(table);
      Path temporary = files.temporary();
      Path written = files.written(temporary);
      boolean placed = false;
      try {
        write(rows, written);
        files.replacement(temporary).run();
        placed = true;
      } finally {
        if (!placed) {
          discard(files.fileSystem(), temporary, written);
        }
      }
      files.deleteLeftovers();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write table " + table + " of run " + run.runId(), e);
    }
  }

  /** Deletes what was written, but no earlier rows that could not be moved back. */
  private static void discard(FileSystem fileSystem, Path temporary, Path written)
      throws IOException {
    fileSystem.delete(written, true);
    if (fileSystem.exists(temporary) && fileSystem.listStatus(temporary).length == 0) {
      fileSystem.delete(temporary, true);
    }
  }

  /** The files, with all rows that an attempt which died has moved aside. */
  private TableFiles files(Table<?> table) throws IOException {
    TableFiles files =
        new TableFiles(outputDir, table, run, spark.sparkContext().hadoopConfiguration());
    files.recover();
    return files;
  }
}
