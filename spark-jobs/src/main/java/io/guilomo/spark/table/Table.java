package io.guilomo.spark.table;

import java.util.Arrays;
import java.util.List;
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
  private final StructType columns;

  /**
   * @param columns the table's own columns
   */
  Table(String name, int schemaVersion, StructType columns) {
    this.name = name;
    this.schemaVersion = schemaVersion;
    this.columns = columns;
  }

  /** The values of the table's own columns, in order; null for unknown values. */
  abstract Object[] values(R row);

  public String name() {
    return name;
  }

  /** The columns readers see: its own, then {@code schema_version, run_date, run_id}. */
  public StructType schema() {
    return fileSchema().add(RUN_DATE, DataTypes.DateType).add(RUN_ID, STRING);
  }

  /** Whether rows belong to a job of a run, so that other jobs of the run must not replace them. */
  boolean perJob() {
    return List.of(columns.fieldNames()).contains("job");
  }

  int schemaVersion() {
    return schemaVersion;
  }

  /** The table's own columns. */
  StructType columns() {
    return columns;
  }

  /** The columns in the files: those that are not directories. */
  StructType fileSchema() {
    return columns.add(SCHEMA_VERSION, INT);
  }

  Row row(R row) {
    Object[] own = values(row);
    Object[] all = Arrays.copyOf(own, own.length + 1);
    all[own.length] = schemaVersion;
    return RowFactory.create(all);
  }

  @Override
  public String toString() {
    return name;
  }
}
