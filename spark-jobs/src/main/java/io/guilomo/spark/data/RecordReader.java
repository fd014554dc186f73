package io.guilomo.spark.data;

import io.guilomo.data.RecordParser;
import io.guilomo.data.TextRecord;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Reads the records of a file or directory. Every record becomes a JSON object first, so that equal
 * records are equal whatever the format of their files; text formats are read as text, without
 * inferring types.
 *
 * @param format empty to infer it from the extension
 */
public record RecordReader(SparkSession spark, RecordParser parser, Optional<DataFormat> format) {

  /** The column of {@link #table} that holds the record. */
  public static final String JSON = "_guilomo_record";

  private static final String CORRUPT = "_corrupt_record";
  private static final Map<String, String> TSV = Map.of("sep", "\t", "quote", "");
  private static final Map<String, String> CSV = Map.of("multiLine", "true", "escape", "\"");

  /** Spark's names for the columns of a file without a header. */
  private static final Pattern UNNAMED = Pattern.compile("_c\\d+");

  /**
   * All records of {@code path}, including bad ones. If fields are mapped to columns {@code _c0},
   * {@code _c1}, …, tabular text has no header.
   *
   * @param target whether the records are for training or scoring, so that the column of the target
   *     is required
   * @throws UserException if the path or a column does not exist
   */
  public JavaRDD<ReadRecord> read(String path, boolean target) {
    DataFormat resolved = resolve(path);
    JavaRDD<String> objects =
        resolved == DataFormat.JSON
            ? spark.read().textFile(path).toJavaRDD()
            : objects(path, rows(path, resolved), target);
    RecordParser records = parser;
    return objects
        .zipWithIndex()
        .filter(line -> !line._1().isBlank())
        .map(line -> parse(records, path, line._2() + 1, line._1()));
  }

  /**
   * All rows of {@code path} with their columns and types, followed by {@link #JSON}: the record
   * for {@link RecordParser}, null if a row could not be split.
   *
   * @throws UserException if the path or a column does not exist
   */
  public Dataset<Row> table(String path) {
    Dataset<Row> rows = rows(path, resolve(path));
    Dataset<Row> whole =
        rows.withColumn(JSON, json(path, rows, false, functions.lit(null).cast("string")));
    return whole.drop(CORRUPT);
  }

  private Dataset<Row> rows(String path, DataFormat resolved) {
    return switch (resolved) {
      case JSON -> spark.read().option("columnNameOfCorruptRecord", CORRUPT).json(path);
      case PARQUET -> parquet(path);
      case TSV -> separated(path, TSV);
      case CSV -> separated(path, CSV);
    };
  }

  private static ReadRecord parse(RecordParser parser, String path, long position, String line) {
    if (line.startsWith(CORRUPT)) {
      String raw = line.substring(CORRUPT.length());
      return new ReadRecord(path, position, raw, null, "wrong number of columns or broken quotes");
    }
    try {
      TextRecord record = parser.parse(line);
      return new ReadRecord(path, position, line, record, null);
    } catch (UserException e) {
      return new ReadRecord(path, position, line, null, e.getMessage());
    }
  }

  private DataFormat resolve(String name) {
    try {
      Path path = new Path(name);
      FileSystem files = path.getFileSystem(spark.sparkContext().hadoopConfiguration());
      FileStatus[] found = files.globStatus(path);
      if (found == null || found.length == 0) {
        throw new UserException("Cannot read %s: there is no such file", name);
      }
      if (format.isPresent()) {
        return format.get();
      }
      if (!found[0].isDirectory()) {
        return DataFormat.ofFile(found[0].getPath().getName());
      }
      return Arrays.stream(files.listStatus(found[0].getPath()))
          .map(file -> file.getPath().getName())
          .filter(file -> !file.startsWith("_") && !file.startsWith("."))
          .sorted()
          .findFirst()
          .map(DataFormat::ofFile)
          .orElseThrow(() -> new UserException("Cannot read %s: it contains no files", name));
    } catch (IOException e) {
      throw new UserException(String.format("Cannot read %s: %s", name, e.getMessage()), e);
    }
  }

  /** Rows as JSON objects; a row that could not be split becomes a marker and its text. */
  private JavaRDD<String> objects(String path, Dataset<Row> rows, boolean target) {
    Column corrupt = functions.concat(functions.lit(CORRUPT), functions.col(CORRUPT));
    return rows.select(json(path, rows, target, corrupt)).as(Encoders.STRING()).toJavaRDD();
  }

  /**
   * A row as a JSON object, with nulls for missing values.
   *
   * @param corrupt replaces a row that could not be split
   */
  private Column json(String path, Dataset<Row> rows, boolean target, Column corrupt) {
    Set<String> present = new LinkedHashSet<>(List.of(rows.columns()));
    boolean text = present.remove(CORRUPT);
    if (present.isEmpty()) {
      throw new UserException("Cannot read %s: it contains no records", path);
    }
    parser.checkColumns(path, present, target);
    Column[] columns = present.stream().map(RecordReader::column).toArray(Column[]::new);
    Column json = functions.to_json(functions.struct(columns), Map.of("ignoreNullFields", "false"));
    return text ? functions.when(functions.col(CORRUPT).isNull(), json).otherwise(corrupt) : json;
  }

  private Dataset<Row> parquet(String path) {
    try {
      return spark.read().parquet(path);
    } catch (Exception e) { // Spark throws checked exceptions that its methods do not declare.
      String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new UserException(String.format("Cannot read %s as Parquet: %s", path, reason), e);
    }
  }

  private Dataset<Row> separated(String path, Map<String, String> dialect) {
    boolean header =
        parser.columns().values().stream().noneMatch(name -> UNNAMED.matcher(name).matches());
    DataFrameReader reader =
        spark
            .read()
            .options(dialect)
            .option("header", header)
            .option("maxCharsPerColumn", -1)
            .option("columnNameOfCorruptRecord", CORRUPT);
    StructType schema = new StructType();
    for (String name : reader.csv(path).columns()) {
      schema = schema.add(name, DataTypes.StringType);
    }
    return reader.schema(schema.add(CORRUPT, DataTypes.StringType)).csv(path);
  }

  private static Column column(String name) {
    return functions.col("`" + name.replace("`", "``") + "`");
  }
}
