package io.guilomo.spark.table;

import io.guilomo.spark.session.AsNamed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * The rows of runs whose columns have different types, with all columns of all of them: a column of
 * one type has it, any other is text, and lists, maps and structures among its values are JSON.
 *
 * @param root of a table that is partitioned by {@code run_date} and {@code run_id}
 */
record MergedRuns(SparkSession spark, String root) {

  Dataset<Row> read() {
    Map<StructType, List<String>> runs = new LinkedHashMap<>();
    for (String directory : directories()) {
      StructType schema = AsNamed.reader(spark).parquet(directory).schema();
      runs.computeIfAbsent(schema, one -> new ArrayList<>()).add(directory);
    }
    Map<String, DataType> types = types(runs.keySet());
    Dataset<Row> all = null;
    for (Map.Entry<StructType, List<String>> alike : runs.entrySet()) {
      Dataset<Row> rows =
          AsNamed.reader(spark)
              .schema(Table.withDirectories(alike.getKey()))
              .option("basePath", root)
              .parquet(alike.getValue().toArray(String[]::new));
      Dataset<Row> unified =
          rows.select(
              Arrays.stream(rows.schema().fields())
                  .map(field -> unified(field, types))
                  .toArray(Column[]::new));
      all = all == null ? unified : all.unionByName(unified, true);
    }
    return all;
  }

  /** The directory of each run, in the order of their dates and names. */
  private List<String> directories() {
    try {
      Path table = new Path(root);
      FileSystem files = table.getFileSystem(spark.sparkContext().hadoopConfiguration());
      List<String> directories = new ArrayList<>();
      for (FileStatus date : files.listStatus(table)) {
        if (date.getPath().getName().startsWith(Table.RUN_DATE + "=")) {
          for (FileStatus run : files.listStatus(date.getPath())) {
            directories.add(run.getPath().toString());
          }
        }
      }
      directories.sort(null);
      return directories;
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot list the runs of " + root, e);
    }
  }

  /** The type of each column, by its name in lower case. */
  private static Map<String, DataType> types(Iterable<StructType> schemas) {
    Map<String, DataType> types = new LinkedHashMap<>();
    for (StructType schema : schemas) {
      for (StructField field : schema.fields()) {
        types.merge(
            key(field),
            field.dataType(),
            (one, other) -> one.sameType(other) ? one : DataTypes.StringType);
      }
    }
    return types;
  }

  private static Column unified(StructField field, Map<String, DataType> types) {
    Column column = AsNamed.column(field.name());
    DataType type = types.getOrDefault(key(field), field.dataType());
    if (type.sameType(field.dataType())) {
      return column;
    }
    boolean nested =
        field.dataType() instanceof StructType
            || field.dataType() instanceof ArrayType
            || field.dataType() instanceof MapType;
    return (nested ? functions.to_json(column) : column.cast(type)).as(field.name());
  }

  private static String key(StructField field) {
    return field.name().toLowerCase(Locale.ROOT);
  }
}
