package io.guilomo.spark.data;

import io.guilomo.data.DataReport;
import io.guilomo.data.RecordParser;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Reads the records of a file, directory or pattern, for training, scoring and prediction alike.
 * Every record becomes a JSON object first, so that equal records are equal whatever the format of
 * their files; text formats are read as text, without inferring types.
 *
 * @param format empty to infer it from the extension
 * @param encoding of the characters of JSON, CSV and TSV
 */
public record RecordReader(
    SparkSession spark, RecordParser parser, Optional<DataFormat> format, Charset encoding) {

  /** The column of {@link #table} that holds the record. */
  public static final String JSON = "_guilomo_record";

  private static final String CORRUPT = "_corrupt_record";

  /** Names for the columns of a file without a header. */
  private static final Pattern UNNAMED = Pattern.compile("_c\\d+");

  /** Of text in UTF-8. */
  public RecordReader(SparkSession spark, RecordParser parser, Optional<DataFormat> format) {
    this(spark, parser, format, StandardCharsets.UTF_8);
  }

  /**
   * All records of {@code path}, including bad ones. If fields are mapped to columns {@code _c0},
   * {@code _c1}, …, tabular text has no header.
   *
   * @param target whether the records are for training or scoring, so that the label, output or
   *     answer is required
   * @throws UserException if the path or a column does not exist
   */
  public JavaRDD<ReadRecord> read(String path, boolean target) {
    DataFiles files = DataFiles.find(path, hadoop());
    RecordParser records = parser;
    return raw(files, target)
        .zipWithIndex()
        .filter(line -> !line._1().isNothing())
        .map(line -> parse(records, path, line._2() + 1, line._1(), target));
  }

  private static ReadRecord parse(
      RecordParser parser, String path, long position, RawRecord read, boolean target) {
    if (read.reason() != null) {
      return new ReadRecord(path, position, read.text(), null, read.reason());
    }
    try {
      return new ReadRecord(path, position, read.text(), parser.parse(read.text(), target), null);
    } catch (UserException e) {
      return new ReadRecord(path, position, read.text(), null, e.getMessage());
    }
  }

  /** How many of the records of {@code path} can be predicted, and why others cannot. */
  public DataReport report(String path) {
    return read(path, false)
        .map(
            record ->
                record.isBad()
                    ? DataReport.ofBad(record.bad(record.reason()))
                    : DataReport.ofReadable())
        .fold(DataReport.EMPTY, DataReport::merge);
  }

  /**
   * All rows of {@code path} with their columns and types, followed by {@link #JSON}: the record
   * for {@link RecordParser} as {@link #read} finds it, null if a row is none.
   *
   * @throws UserException if the path or a column does not exist
   */
  public Dataset<Row> table(String path) {
    DataFiles files = DataFiles.find(path, hadoop());
    DataFormat resolved = files.format(format);
    if (resolved == DataFormat.PARQUET) {
      return new ParquetRecords(spark, parser, files).table(JSON);
    }
    JavaRDD<String> objects =
        raw(files, false)
            .filter(line -> !line.isNothing())
            .map(
                line ->
                    line.reason() == null && RecordParser.isObject(line.text())
                        ? line.text()
                        : null);
    StructType own = resolved == DataFormat.JSON ? inferred(objects) : columns(files, resolved);
    Dataset<Row> lines =
        spark.createDataFrame(
            objects.map(RowFactory::create), new StructType().add(JSON, DataTypes.StringType));
    return own.isEmpty()
        ? lines
        : lines
            .select(functions.from_json(functions.col(JSON), own).as("record"), functions.col(JSON))
            .select("record.*", JSON);
  }

  private JavaRDD<RawRecord> raw(DataFiles files, boolean target) {
    DataFormat resolved = files.format(format);
    return switch (resolved) {
      case JSON -> json(files);
      case PARQUET -> new ParquetRecords(spark, parser, files).read(target);
      case TSV, CSV -> separated(files, resolved, target);
    };
  }

  private JavaRDD<RawRecord> json(DataFiles files) {
    TextDecoding text = TextDecoding.of(encoding);
    TextFiles reading = new TextFiles(spark, files.name(), text);
    Map<Boolean, List<DataFile>> spanning =
        grouped(files, in -> JsonDocuments.spansLines(text.reader(in)));
    List<JavaRDD<RawRecord>> parts = new ArrayList<>();
    spanning.forEach(
        (spans, group) ->
            parts.add(
                spans
                    ? reading.contents(
                        group, (file, in) -> new JsonDocuments(file, text.strict(in)))
                    : reading.lines(group)));
    return union(parts);
  }

  private JavaRDD<RawRecord> separated(DataFiles files, DataFormat resolved, boolean target) {
    TextDecoding text = TextDecoding.of(encoding);
    TextFiles reading = new TextFiles(spark, files.name(), text);
    List<JavaRDD<RawRecord>> parts = new ArrayList<>();
    layouts(files, resolved)
        .forEach(
            (layout, group) -> {
              parser.checkColumns(files.name(), layout.columns(), target);
              parts.add(
                  resolved == DataFormat.TSV
                      ? reading.lines(group).map(layout::row)
                      : reading.contents(group, (file, in) -> layout.rows(file, text.reader(in))));
            });
    return union(parts);
  }

  /** Files by their columns, which may be others or in another order in each. */
  private Map<SeparatedText, List<DataFile>> layouts(DataFiles files, DataFormat resolved) {
    TextDecoding text = TextDecoding.of(encoding);
    boolean header =
        parser.columns().values().stream()
            .flatMap(name -> Arrays.stream(name.split("\\|")))
            .noneMatch(name -> UNNAMED.matcher(name).matches());
    Map<SeparatedText, List<DataFile>> layouts = new LinkedHashMap<>();
    grouped(files, in -> SeparatedText.firstRow(text.reader(in), resolved, text))
        .forEach(
            (row, group) -> {
              if (!row.isEmpty()) {
                List<String> names = SeparatedText.names(files.name(), row, header, parser::reads);
                for (DataFile file : group) {
                  layouts
                      .computeIfAbsent(
                          new SeparatedText(
                              names, header ? row : List.of(), file.partition(), text),
                          key -> new ArrayList<>())
                      .add(file);
                }
              }
            });
    if (layouts.isEmpty()) {
      throw new UserException("Cannot read %s: it contains no records", files.name());
    }
    return layouts;
  }

  private StructType columns(DataFiles files, DataFormat resolved) {
    Set<String> names = new LinkedHashSet<>();
    layouts(files, resolved).keySet().forEach(layout -> names.addAll(layout.columns()));
    StructType columns = new StructType();
    for (String name : names) {
      columns = columns.add(name, DataTypes.StringType);
    }
    return columns;
  }

  private StructType inferred(JavaRDD<String> objects) {
    StructType inferred =
        spark
            .read()
            .json(
                spark.createDataset(
                    objects.filter(object -> object != null).rdd(), Encoders.STRING()))
            .schema();
    StructType columns = new StructType();
    for (StructField field : inferred.fields()) {
      columns = field.name().equals(CORRUPT) ? columns : columns.add(field);
    }
    return columns;
  }

  private interface Start<K> {
    K of(InputStream in) throws IOException;
  }

  /** Groups files by how they start, in the order of their paths. */
  private <K> Map<K, List<DataFile>> grouped(DataFiles files, Start<K> start) {
    Configuration conf = hadoop();
    Function<DataFile, K> key =
        file -> {
          try (InputStream in = file.open(conf)) {
            return start.of(in);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        };
    try {
      List<K> keys = files.files().parallelStream().map(key).toList();
      Map<K, List<DataFile>> groups = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        groups.computeIfAbsent(keys.get(i), one -> new ArrayList<>()).add(files.files().get(i));
      }
      return groups;
    } catch (RuntimeException e) {
      throw new UserException("Cannot read " + files.name() + ": " + UserPath.reason(e), e);
    }
  }

  private JavaRDD<RawRecord> union(List<JavaRDD<RawRecord>> parts) {
    return parts.size() == 1
        ? parts.get(0)
        : JavaSparkContext.fromSparkContext(spark.sparkContext())
            .union(parts.toArray(JavaRDD[]::new));
  }

  private Configuration hadoop() {
    return spark.sparkContext().hadoopConfiguration();
  }
}
