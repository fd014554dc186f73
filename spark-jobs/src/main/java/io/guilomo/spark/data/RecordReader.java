package io.guilomo.spark.data;

import io.guilomo.data.DataReport;
import io.guilomo.data.RecordParser;
import io.guilomo.model.RecordSource;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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
 * Reads the records of files, a table or a query, for training, scoring and prediction alike. Every
 * record becomes a JSON object first, so that equal records are equal whatever the format of their
 * files; text formats are read as text, without inferring types.
 *
 * @param format empty to infer it from the extension
 * @param encoding of the characters of JSON, CSV and TSV
 */
public record RecordReader(
    SparkSession spark, RecordParser parser, Optional<DataFormat> format, Charset encoding) {

  /** The column of {@link #table} that holds the record. */
  public static final String JSON = "_guilomo_record";

  /** Bytes of files that take long to encode. */
  private static final long MUCH = 8L << 20;

  private static final String CORRUPT = "_corrupt_record";

  /** Names for the columns of a file without a header. */
  private static final Pattern UNNAMED = Pattern.compile("_c\\d+");

  /**
   * All records of a source, including bad ones. If fields are mapped to columns {@code _c0},
   * {@code _c1}, …, tabular text has no header.
   *
   * @param target whether the records are for training or scoring, so that the label, output or
   *     answer is required
   * @throws UserException if the source or a column does not exist
   */
  public JavaRDD<ReadRecord> read(RecordSource source, boolean target) {
    return read(find(source, target), target);
  }

  /**
   * As {@link #read}, for work on each record that takes much longer than to read it: by all
   * executors even if few tasks can read the files, such as one with a list in JSON.
   */
  JavaRDD<ReadRecord> readEvenly(RecordSource source, boolean target) {
    Found found = find(source, target);
    JavaRDD<ReadRecord> records = read(found, target);
    int parallelism = spark.sparkContext().defaultParallelism();
    return found.bytes() >= MUCH && records.getNumPartitions() < parallelism
        ? records.repartition(parallelism)
        : records;
  }

  /**
   * Checks that there is such a source.
   *
   * @throws UserException if not
   */
  public static void require(SparkSession spark, RecordSource source) {
    if (source.isPath()) {
      DataFiles.find(source.text(), spark.sparkContext().hadoopConfiguration());
    } else {
      new CatalogRows(spark, source).rows();
    }
  }

  /**
   * What a source holds.
   *
   * @param bytes about how many, where Spark knows it
   */
  private record Found(String name, long bytes, JavaRDD<RawRecord> raw) {}

  private Found find(RecordSource source, boolean target) {
    if (source.isPath()) {
      DataFiles files = DataFiles.find(source.text(), hadoop());
      return new Found(files.name(), files.length(), raw(files, target));
    }
    Dataset<Row> rows = new CatalogRows(spark, source).rows();
    return new Found(
        source.name(),
        CatalogRows.bytes(rows),
        new RowRecords(source.name(), parser, rows).read(target));
  }

  private JavaRDD<ReadRecord> read(Found found, boolean target) {
    RecordParser records = parser;
    String name = found.name();
    return found
        .raw()
        .zipWithIndex()
        .filter(line -> !line._1().isNothing())
        .map(line -> parse(records, name, line._2() + 1, line._1(), target));
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

  /** How many of the records of a source can be predicted, and why others cannot. */
  public DataReport report(RecordSource source) {
    RecordParser records = parser;
    Found found = find(source, false);
    String name = found.name();
    DataReport report = DataReport.EMPTY;
    long before = 0;
    // Numbering the lines of an RDD would read it twice.
    for (Part part :
        found
            .raw()
            .mapPartitions(lines -> List.of(Part.of(records, name, lines)).iterator())
            .collect()) {
      report = report.merge(part.report().after(before));
      before += part.lines();
    }
    return report;
  }

  /**
   * What a partition holds.
   *
   * @param report with positions in the partition
   */
  private record Part(long lines, DataReport report) implements Serializable {

    static Part of(RecordParser parser, String path, Iterator<RawRecord> raw) {
      long lines = 0;
      DataReport report = DataReport.EMPTY;
      while (raw.hasNext()) {
        RawRecord line = raw.next();
        lines++;
        if (!line.isNothing()) {
          ReadRecord record = parse(parser, path, lines, line, false);
          report =
              report.merge(
                  record.isBad()
                      ? DataReport.ofBad(record.bad(record.reason()))
                      : DataReport.ofReadable());
        }
      }
      return new Part(lines, report);
    }
  }

  /**
   * All rows of a source with their columns and types, followed by {@link #JSON}: the record for
   * {@link RecordParser} as {@link #read} finds it, null if a row is none.
   *
   * @throws UserException if the source or a column does not exist
   */
  public Dataset<Row> table(RecordSource source) {
    if (!source.isPath()) {
      return new RowRecords(source.name(), parser, new CatalogRows(spark, source).rows())
          .table(JSON);
    }
    DataFiles files = DataFiles.find(source.text(), hadoop());
    DataFormat resolved = files.format(format);
    if (resolved == DataFormat.PARQUET) {
      return parquet(files).table(JSON);
    }
    Map<SeparatedText, List<DataFile>> layouts =
        resolved == DataFormat.JSON ? Map.of() : layouts(files, resolved);
    JavaRDD<RawRecord> raw =
        resolved == DataFormat.JSON ? json(files) : separated(files, resolved, layouts, false);
    JavaRDD<String> objects =
        raw.filter(line -> !line.isNothing())
            .map(
                line ->
                    line.reason() == null && RecordParser.isObject(line.text())
                        ? line.text()
                        : null);
    StructType own = resolved == DataFormat.JSON ? inferred(objects) : columns(layouts.keySet());
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
      case PARQUET -> parquet(files).read(target);
      case TSV, CSV -> separated(files, resolved, layouts(files, resolved), target);
    };
  }

  private RowRecords parquet(DataFiles files) {
    return new RowRecords(files.name(), parser, new ParquetFiles(spark, files).rows());
  }

  private JavaRDD<RawRecord> json(DataFiles files) {
    TextDecoding text = TextDecoding.of(encoding);
    TextFiles reading = new TextFiles(spark, files.name(), text);
    Start<Boolean> start = in -> JsonDocuments.spansLines(text.reader(in));
    Map<Boolean, List<DataFile>> ofLines =
        files.files().stream()
            .collect(Collectors.partitioningBy(file -> DataFormat.isOfLines(file.path())));
    Map<Boolean, List<DataFile>> spanning =
        new LinkedHashMap<>(grouped(files, ofLines.get(false), start));
    // There may be thousands of .jsonl files, and the extension is rarely wrong: only the first is
    // opened.
    ofLines.get(true).stream()
        .findFirst()
        .flatMap(first -> grouped(files, List.of(first), start).keySet().stream().findFirst())
        .ifPresent(
            spans ->
                spanning
                    .computeIfAbsent(spans, one -> new ArrayList<>())
                    .addAll(ofLines.get(true)));
    List<JavaRDD<RawRecord>> parts = new ArrayList<>();
    spanning.forEach(
        (spans, group) ->
            parts.add(
                spans
                    ? reading.contents(
                        group, (file, in) -> new JsonDocuments(file, text.strict(in)))
                    : reading.lines(group, DirectoryFields::with)));
    return union(parts);
  }

  private JavaRDD<RawRecord> separated(
      DataFiles files,
      DataFormat resolved,
      Map<SeparatedText, List<DataFile>> layouts,
      boolean target) {
    TextDecoding text = TextDecoding.of(encoding);
    TextFiles reading = new TextFiles(spark, files.name(), text);
    List<JavaRDD<RawRecord>> parts = new ArrayList<>();
    layouts.forEach(
        (layout, group) -> {
          parser.checkColumns(files.name(), layout.columns(), target);
          parts.add(
              resolved == DataFormat.TSV
                  ? reading.lines(group, layout::row)
                  : reading.contents(group, (file, in) -> layout.rows(file, text.reader(in))));
        });
    return union(parts);
  }

  /** Files by their columns, which may be others or in another order in each. */
  private Map<SeparatedText, List<DataFile>> layouts(DataFiles files, DataFormat resolved) {
    TextDecoding text = TextDecoding.of(encoding);
    boolean header =
        parser.columns().values().stream()
            .flatMap(names -> RecordParser.alternatives(names).stream())
            .noneMatch(name -> UNNAMED.matcher(name).matches());
    Map<SeparatedText, List<DataFile>> layouts = new LinkedHashMap<>();
    grouped(files, files.files(), in -> SeparatedText.firstRow(text.reader(in), resolved, text))
        .forEach(
            (row, group) -> {
              if (!row.isEmpty()) {
                List<String> names = SeparatedText.names(files.name(), row, header, parser::reads);
                for (DataFile file : group) {
                  layouts
                      .computeIfAbsent(
                          new SeparatedText(
                              names, header ? row : List.of(), file.directories(), text),
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

  private static StructType columns(Set<SeparatedText> layouts) {
    Set<String> names = new LinkedHashSet<>();
    layouts.forEach(layout -> names.addAll(layout.columns()));
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
  private <K> Map<K, List<DataFile>> grouped(DataFiles from, List<DataFile> files, Start<K> start) {
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
      List<K> keys = files.parallelStream().map(key).toList();
      Map<K, List<DataFile>> groups = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        groups.computeIfAbsent(keys.get(i), one -> new ArrayList<>()).add(files.get(i));
      }
      return groups;
    } catch (RuntimeException e) {
      throw new UserException("Cannot read " + from.name() + ": " + UserPath.reason(e), e);
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
