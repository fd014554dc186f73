package io.guilomo.spark.catalog;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.to_json;

import io.guilomo.config.OutputConfig.Tables;
import io.guilomo.spark.session.AsNamed;
import io.guilomo.spark.table.RunRows;
import io.guilomo.spark.table.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameWriterV2;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * A table of the user's catalog. It is partitioned as the Parquet table is, by {@code run_date} and
 * {@code run_id}: rows of two runs are never in one file, even after a compaction, so that those of
 * a run can be replaced without reading any.
 */
record PublishedTable(
    SparkSession spark, CatalogName catalog, Table<?> table, Consumer<String> messages) {

  /**
   * Replaces the rows of runs, in one transaction. Creates the table with its first rows, and adds
   * the columns that it lacks.
   */
  void replace(RunRows runs) throws NoSuchTableException, IOException {
    if (!catalog.exists(spark, table)) {
      if (runs.directories().isEmpty()) {
        return;
      }
      create();
    }
    for (RunRows part : runs.parts()) {
      Column those = col(Table.RUN_ID).isInCollection(part.runs());
      Dataset<Row> rows = part.rows();
      if (part.directories().isEmpty() && current().filter(those).isEmpty()) {
        continue;
      }
      Column[] columns = columns(rows.schema(), addColumns(rows.schema()));
      DataFrameWriterV2<Row> writer = rows.select(columns).writeTo(name());
      if (catalog.format() == Tables.ICEBERG) {
        // Nothing to shuffle: nearly always one partition is written.
        writer = writer.option("distribution-mode", "none").option("fanout-enabled", "true");
      }
      writer.overwrite(those);
    }
  }

  private String name() {
    return catalog.table(table);
  }

  private Dataset<Row> current() {
    return spark.table(name());
  }

  private void create() {
    spark.sql(
        Arrays.stream(table.schema().fields())
            .map(PublishedTable::definition)
            .collect(
                Collectors.joining(
                    ", ",
                    "CREATE TABLE IF NOT EXISTS " + name() + " (",
                    ") USING %s PARTITIONED BY (%s, %s)"
                        .formatted(catalog.format(), Table.RUN_DATE, Table.RUN_ID))));
  }

  private static String definition(StructField field) {
    return AsNamed.quoted(field.name()) + " " + field.dataType().sql();
  }

  /**
   * Adds those of a newer release, and those of the records of predictions.
   *
   * @return the table's columns
   */
  private StructType addColumns(StructType wanted) {
    StructType present = current().schema();
    StructType own = table.schema();
    boolean added = false;
    for (StructField field : wanted.fields()) {
      if (find(present, field.name()).isPresent()) {
        continue;
      }
      try {
        spark.sql("ALTER TABLE " + name() + " ADD COLUMNS (" + definition(field) + ")");
      } catch (Exception e) { // Spark throws checked exceptions that its methods do not declare.
        if (find(own, field.name()).isPresent()
            || !(e instanceof AnalysisException || e instanceof UnsupportedOperationException)) {
          throw e;
        }
        // Left out below.
      }
      added = true;
    }
    return added ? current().schema() : present;
  }

  /** All columns of the table, made of the rows' or null. */
  private Column[] columns(StructType given, StructType present) {
    List<Column> columns = new ArrayList<>();
    for (StructField field : present.fields()) {
      Column value = lit(null).cast(field.dataType());
      Optional<StructField> source = find(given, field.name());
      if (source.isPresent()) {
        value = value(source.get(), field).orElse(value);
      }
      columns.add(value.as(field.name()));
    }
    String left =
        Arrays.stream(given.fields())
            .filter(
                field ->
                    find(present, field.name())
                        .filter(column -> value(field, column).isPresent())
                        .isEmpty())
            .map(StructField::name)
            .collect(Collectors.joining(", "));
    if (!left.isEmpty()) {
      messages.accept(
          "warning: table %s of %s cannot have columns %s of the records: they are in Parquet only"
              .formatted(table, catalog, left));
    }
    return columns.toArray(Column[]::new);
  }

  /** A column in the type that the table has; none if a value could be lost. */
  private Optional<Column> value(StructField from, StructField to) {
    Column column = AsNamed.column(from.name());
    DataType given = from.dataType();
    if (given.sameType(to.dataType())) {
      return Optional.of(column);
    }
    boolean nested =
        Stream.of(StructType.class, ArrayType.class, MapType.class)
            .anyMatch(type -> type.isInstance(given));
    if (nested && to.dataType().sameType(DataTypes.StringType)) {
      return Optional.of(to_json(column));
    }
    if (Cast.canUpCast(given, to.dataType())) {
      return Optional.of(column.cast(to.dataType()));
    }
    if (find(table.schema(), from.name()).isPresent()) {
      throw new IllegalStateException(
          "column %s is %s there, not %s".formatted(from.name(), to.dataType().sql(), given.sql()));
    }
    return Optional.empty();
  }

  private static Optional<StructField> find(StructType schema, String name) {
    return Arrays.stream(schema.fields())
        .filter(field -> field.name().equalsIgnoreCase(name))
        .findFirst();
  }
}
