package io.guilomo.spark.table;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * A Parquet table of an output directory: {@code
 * tables/NAME/run_date=YYYY-MM-DD/run_id=…/*.parquet}. Columns may be added, never renamed or
 * retyped. Indices and ranks are INT, counts BIGINT, values DOUBLE, times TIMESTAMP (UTC,
 * microseconds).
 *
 * @param <R> one row, without the columns common to all tables
 */
public abstract class Table<R> {
  /** INT: the version of the schema with which a row was written. */
  public static final String SCHEMA_VERSION = "schema_version";

  /** DATE: the day on which the run began, in UTC; a directory. */
  public static final String RUN_DATE = "run_date";

  /** STRING: the name of the run; a directory. */
  public static final String RUN_ID = "run_id";

  static final DataType STRING = DataTypes.StringType;
  static final DataType INT = DataTypes.IntegerType;
  static final DataType BIGINT = DataTypes.LongType;
  static final DataType DOUBLE = DataTypes.DoubleType;
  static final DataType BOOLEAN = DataTypes.BooleanType;
  static final DataType TIMESTAMP = DataTypes.TimestampType;

  private final String name;
  private final int schemaVersion;
  private final List<Column<R>> columns;

  /**
   * One of the table's own columns.
   *
   * @param value what a row has in it; null for unknown values
   */
  record Column<R>(String name, DataType type, Function<R, Object> value) {}

  Table(String name, int schemaVersion, List<Column<R>> columns) {
    this.name = name;
    this.schemaVersion = schemaVersion;
    this.columns = columns;
  }

  static <R> Column<R> column(String name, DataType type, Function<R, Object> value) {
    return new Column<>(name, type, value);
  }

  /** A column of a table that is written from datasets alone. */
  static Column<Void> column(String name, DataType type) {
    return new Column<>(name, type, row -> null);
  }

  public String name() {
    return name;
  }

  /** The columns readers see: its own, then {@code schema_version, run_date, run_id}. */
  public StructType schema() {
    return withDirectories(fileSchema());
  }

  /**
   * The columns of files and then of the directories that they are in: asked for by their types, as
   * Spark would take the run 2026 for a number.
   */
  static StructType withDirectories(StructType files) {
    return files.add(RUN_DATE, DataTypes.DateType).add(RUN_ID, STRING);
  }

  /** Whether rows belong to a job of a run, so that other jobs of the run must not replace them. */
  boolean perJob() {
    return columns.stream().anyMatch(column -> column.name().equals("job"));
  }

  int schemaVersion() {
    return schemaVersion;
  }

  /** The table's own columns. */
  StructType columns() {
    StructType own = new StructType();
    for (Column<R> column : columns) {
      own = own.add(column.name(), column.type());
    }
    return own;
  }

  /** The columns in the files: those that are not directories. */
  StructType fileSchema() {
    return columns().add(SCHEMA_VERSION, INT);
  }

  Row row(R row) {
    Object[] values = new Object[columns.size() + 1];
    Arrays.setAll(
        values, i -> i < columns.size() ? columns.get(i).value().apply(row) : schemaVersion);
    return RowFactory.create(values);
  }

  @Override
  public String toString() {
    return name;
  }
}
