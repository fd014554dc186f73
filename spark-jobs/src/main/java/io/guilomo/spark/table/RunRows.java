package io.guilomo.spark.table;

import io.guilomo.model.UserException;
import io.guilomo.spark.session.AsNamed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/**
 * The rows that some runs have in a table, in the files that existed when they were listed.
 *
 * @param directories of the runs that have any, whatever their dates
 * @param files in these directories: path, length and time of each
 */
public record RunRows(
    SparkSession spark,
    String outputDir,
    Table<?> table,
    List<String> runs,
    List<String> directories,
    List<String> files) {

  /**
   * Lists the files of runs.
   *
   * @throws UserException for a name that no run can have
   */
  public static RunRows list(
      SparkSession spark, String outputDir, Table<?> table, List<String> runs) {
    runs.forEach(JobRun::checkRunId);
    Path root = TableFiles.root(outputDir, table);
    List<String> directories = new ArrayList<>();
    List<String> files = new ArrayList<>();
    try {
      FileSystem system = root.getFileSystem(spark.sparkContext().hadoopConfiguration());
      for (Path run : TableFiles.partitions(system, root, runs::contains)) {
        int before = files.size();
        for (FileStatus file : TableFiles.list(system, run)) {
          if (file.getPath().getName().endsWith(".parquet")) {
            files.add(file.getPath() + " " + file.getLen() + " " + file.getModificationTime());
          }
        }
        if (files.size() > before) {
          directories.add(run.toString());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot list table " + table + " in " + outputDir, e);
    }
    directories.sort(null);
    files.sort(null);
    return new RunRows(
        spark, outputDir, table, List.copyOf(runs), List.copyOf(directories), List.copyOf(files));
  }

  /** The names of all runs of an output directory that have a row in table {@code runs}. */
  public static List<String> runs(SparkSession spark, String outputDir) {
    TableReader reader = new TableReader(spark, outputDir);
    reader.requireTables();
    return reader.read(RunsTable.INSTANCE).select(Table.RUN_ID).distinct().collectAsList().stream()
        .map(row -> row.getString(0))
        .sorted()
        .toList();
  }

  /** Whether the runs have other files now, so that some rows may be missing here. */
  public boolean haveChanged() {
    return !list(spark, outputDir, table, runs).files().equals(files);
  }

  /** Those whose columns are the same: a run adds its own to table {@code predictions}. */
  public List<RunRows> parts() {
    if (table != PredictionsTable.INSTANCE || runs.size() == 1) {
      return List.of(this);
    }
    List<RunRows> parts = new ArrayList<>();
    List<String> without = new ArrayList<>();
    for (String run : runs) {
      List<String> own =
          directories.stream()
              .filter(path -> TableFiles.runId(new Path(path)).equals(run))
              .toList();
      if (own.isEmpty()) {
        without.add(run);
      } else {
        parts.add(new RunRows(spark, outputDir, table, List.of(run), own, List.of()));
      }
    }
    if (!without.isEmpty()) {
      parts.add(new RunRows(spark, outputDir, table, without, List.of(), List.of()));
    }
    return parts;
  }

  /** The rows, with the columns of {@link Table#schema()} and, of predictions, the records'. */
  public Dataset<Row> rows() {
    return new TableReader(spark, outputDir).read(table, schema(), directories);
  }

  private StructType schema() {
    return table == PredictionsTable.INSTANCE && !directories.isEmpty()
        ? Table.withDirectories(
            AsNamed.reader(spark).parquet(directories.toArray(String[]::new)).schema())
        : table.schema();
  }
}
