package io.guilomo.spark.data;

import io.guilomo.data.RecordParser;
import io.guilomo.model.UserException;
import io.guilomo.spark.session.AsNamed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Rows of Parquet files, tables and queries as JSON objects, with nulls for missing values. Binary
 * columns that are read are text in UTF-8, as older Impala and Hive write it; a row whose text is
 * not valid is none.
 *
 * @param name of the source in messages
 */
record RowRecords(String name, RecordParser parser, Dataset<Row> rows) {

  private static final String ENCODING = "UTF-8";

  /**
   * All rows.
   *
   * @param target whether the column of the target is required
   * @throws UserException if a column does not exist
   */
  JavaRDD<RawRecord> read(boolean target) {
    return TextFiles.guarded(
        name,
        rows.select(json(target), reason())
            .toJavaRDD()
            .map(row -> new RawRecord(row.getString(0), row.getString(1))));
  }

  /**
   * All rows with their columns and types, followed by the record.
   *
   * @param column that of the record
   */
  Dataset<Row> table(String column) {
    Column record = functions.when(reason().isNull(), json(false));
    return rows.withColumn(column, record);
  }

  private Column json(boolean target) {
    Set<String> present = new LinkedHashSet<>(List.of(rows.columns()));
    if (present.isEmpty()) {
      throw new UserException("Cannot read %s: it contains no records", name);
    }
    parser.checkColumns(name, present, target);
    Column[] columns = Arrays.stream(rows.schema().fields()).map(this::text).toArray(Column[]::new);
    return functions.to_json(functions.struct(columns), Map.of("ignoreNullFields", "false"));
  }

  /** A column that is read, with text for bytes; any other as it is. */
  private Column text(StructField field) {
    Column column = AsNamed.column(field.name());
    return parser.reads(field.name()) && hasBytes(field.dataType())
        ? column.cast(withText(field.dataType())).as(field.name())
        : column;
  }

  /** Why a row cannot be read; null if it can. */
  private Column reason() {
    List<Column> reasons = new ArrayList<>();
    for (StructField field : rows.schema().fields()) {
      if (parser.reads(field.name())) {
        Column column = AsNamed.column(field.name());
        String kind = hasBytes(field.dataType()) ? " is binary and not " : " is not ";
        reasons.add(
            functions.when(
                invalid(column, field.dataType()), functions.lit(field.name() + kind + ENCODING)));
      }
    }
    reasons.add(functions.lit(null).cast("string"));
    return functions.coalesce(reasons.toArray(Column[]::new));
  }

  /** Whether a value is text that changes when it is decoded and encoded. */
  private static Column invalid(Column column, DataType type) {
    if (type.equals(DataTypes.BinaryType) || type.equals(DataTypes.StringType)) {
      Column again = functions.encode(column.cast("string"), ENCODING);
      return again.notEqual(column.cast("binary"));
    }
    return hasBytes(type)
        ? functions
            .to_json(functions.struct(column.cast(withText(type)).as("text")))
            .contains("\uFFFD")
        : functions.lit(false);
  }

  private static boolean hasBytes(DataType type) {
    return !withText(type).equals(type);
  }

  /** The type with text in the place of bytes. */
  private static DataType withText(DataType type) {
    if (type instanceof ArrayType list) {
      return DataTypes.createArrayType(withText(list.elementType()), list.containsNull());
    }
    if (type instanceof MapType map) {
      return DataTypes.createMapType(
          withText(map.keyType()), withText(map.valueType()), map.valueContainsNull());
    }
    if (type instanceof StructType struct) {
      StructType changed = new StructType();
      for (StructField field : struct.fields()) {
        changed =
            changed.add(
                new StructField(
                    field.name(), withText(field.dataType()), field.nullable(), field.metadata()));
      }
      return changed;
    }
    return type.equals(DataTypes.BinaryType) ? DataTypes.StringType : type;
  }
}
