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
 * @param <R> one row, without the columns that all tables share
 */
public abstract class Table<R> {
  /** INT: the release of the schema that a row was written with. */
  public static final String SCHEMA_VERSION = "schema_version";

  /** DATE: the day the run began, in UTC; a directory. */
  public static final String RUN_DATE = "run_date";

  /** STRING: a directory. */
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

  /** Values of the own columns, in their order; null where a value is not known. */
  abstract Object[] values(R row);

  public String name() {
    return name;
  }

  /** What readers see: own columns, {@code schema_version}, {@code run_date}, {@code run_id}. */
  public StructType schema() {
    return fileSchema().add(RUN_DATE, DataTypes.DateType).add(RUN_ID, STRING);
  }

  /** Whether rows belong to one job of a run, so that another job of the run leaves them. */
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

  /** The columns inside the files. */
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
