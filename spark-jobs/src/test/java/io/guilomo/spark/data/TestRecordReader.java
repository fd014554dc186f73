package io.guilomo.spark.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.tuple;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.RecordParser;
import io.guilomo.data.TextRecord;
import io.guilomo.model.RecordSource;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.spark.SharedSparkSession;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestRecordReader {

  private static final Map<String, String> NO_NAMES = Map.of();

  private final SparkSession spark = SharedSparkSession.session();

  @TempDir private Path dir;

  @Test
  void readsJsonLines() throws IOException {
    Path file =
        write(
            "a.jsonl",
            "{\"sentence\": \"one\", \"label\": 1}\n\n{\"sentence\": \n{\"sentence\": \"two\"}\n");
    List<ReadRecord> records = read(file, Task.CLASSIFICATION, NO_NAMES);
    assertThat(records).extracting(ReadRecord::position).containsExactly(1L, 3L, 4L);
    assertThat(records.get(0).record()).isEqualTo(new TextRecord.Sentence("one", "1"));
    assertThat(records.get(1).isBad()).isTrue();
    assertThat(records.get(1).json()).isEqualTo("{\"sentence\": ");
    assertThat(records.get(1).reason()).startsWith("malformed JSON: ");
    assertThat(records.get(2).reason()).isEqualTo("no field label; fields are sentence");
    assertThat(
            reader(NO_NAMES)
                .read(RecordSource.path(file.toString()), false)
                .collect()
                .get(2)
                .record())
        .isEqualTo(new TextRecord.Sentence("two", null));
  }

  @Test
  void columnsMayBeInAnotherOrderInEachFileAndInTheNamesOfDirectories() throws IOException {
    for (String format : List.of("csv", "tsv")) {
      Path whole = Files.createDirectories(dir.resolve(format + "/label=1"));
      Files.createDirectories(dir.resolve(format + "/label=0"));
      String separator = format.equals("csv") ? "," : "\t";
      write(format + "/label=1/a." + format, "id,sentence\n1,one\n".replace(",", separator));
      write(format + "/label=1/b." + format, "sentence,id\ntwo,2\n".replace(",", separator));
      write(format + "/label=0/c." + format, "sentence\n\nthree\n");
      write(format + "/label=0/_part." + format, "sentence\nhidden\n");
      assertThat(read(whole.getParent(), Task.CLASSIFICATION, NO_NAMES))
          .extracting(ReadRecord::record)
          .containsExactlyInAnyOrder(
              new TextRecord.Sentence("one", "1"),
              new TextRecord.Sentence("two", "1"),
              new TextRecord.Sentence("three", "0"));
    }
  }

  @Test
  void jsonMayBeAListOrObjectsOverSeveralLines() throws IOException {
    String one = "{\"sentence\":\n \"one\",\n \"label\": 1}";
    String two = "{\"sentence\": \"two\", \"label\": 0}";
    for (String text :
        List.of(
            "[" + one + "," + two + "]",
            "\uFEFF[\n" + two + ",\n" + one + "\n]\n",
            "{\n" + one.substring(1) + "\n" + two + "\n")) {
      assertThat(read(write("list.json", text), Task.CLASSIFICATION, NO_NAMES))
          .extracting(ReadRecord::record)
          .containsExactlyInAnyOrder(
              new TextRecord.Sentence("one", "1"), new TextRecord.Sentence("two", "0"));
    }
    Path file = write("list.json", "[" + two + ",\n{\"sentence\"]");
    assertThat(refusal(file))
        .startsWith("Cannot read file:" + file + ": malformed JSON: Unexpected character (']'")
        .endsWith(", line 2");
    for (String end : List.of("", ",\n", ",\n{\"sentence\": \"thr")) {
      write("list.json", "[" + one + ",\n" + two + end);
      assertThat(refusal(file))
          .startsWith("Cannot read file:" + file + ": malformed JSON: Unexpected end-of-input")
          .endsWith(", line " + (end.isEmpty() ? 4 : 5));
    }
    assertThat(read(write("lines.json", "{\"sentence\": \n" + two), Task.CLASSIFICATION, NO_NAMES))
        .as("a broken line is no beginning of an object if a whole one follows")
        .hasSize(2);
  }

  private String refusal(Path file) {
    Throwable thrown = catchThrowable(() -> read(file, Task.CLASSIFICATION, NO_NAMES));
    return ExceptionUtils.throwableOfType(thrown, UserException.class).getMessage();
  }

  @Test
  void recordsOfAListAreThoseOfLines() throws IOException {
    List<String> lines =
        List.of(
            "{\"sentence\":\"one\",\"sentence2\":NaN,\"label\":1}",
            "{\"sentence\":\"two\",\"sentence\":\"again\",\"label\":{\"a\":[1,2]}}",
            "{\"sentence\":\"three\",\"label\":1.50}",
            "{\"sentence\":\"four\",\"label\":NaN}",
            "5",
            "{\"sentence\":\"six\",\"label\":12345678901234567890}");
    List<ReadRecord> listed =
        read(
            write("list.json", "[" + String.join(",\n", lines) + "]"),
            Task.CLASSIFICATION,
            NO_NAMES);
    assertThat(listed)
        .extracting(ReadRecord::position, ReadRecord::record, ReadRecord::reason)
        .containsExactly(
            tuple(1L, new TextRecord.Sentence("one", "1"), null),
            tuple(2L, null, "two fields are called sentence"),
            tuple(3L, new TextRecord.Sentence("three", "1.5"), null),
            tuple(4L, null, "missing label"),
            tuple(5L, null, "no JSON object"),
            tuple(6L, new TextRecord.Sentence("six", "12345678901234567890"), null));
    assertThat(
            read(
                write("lines.jsonl", String.join("\n", lines) + "\n"),
                Task.CLASSIFICATION,
                NO_NAMES))
        .extracting(ReadRecord::record, ReadRecord::reason)
        .containsExactlyElementsOf(
            listed.stream().map(one -> tuple(one.record(), one.reason())).toList());
  }

  @Test
  void aQuoteThatTakesTheRestOfAFileIsRefused() throws IOException {
    Path file = write("open.csv", "sentence,label\none,1\n\"two,0\nthree,1\nfour,0\n");
    assertThat(refusal(file))
        .isEqualTo("Cannot read file:" + file + ": a quote is not closed, line 3");
    write("open.csv", "label,sentence\n1,one\n0,\"two\n1,three\n");
    assertThat(refusal(file))
        .isEqualTo("Cannot read file:" + file + ": a quote is not closed, line 3");
    write("open.csv", "label,sentence\n1,one\n0,\"two\nlines\"\n\n");
    assertThat(read(file, Task.CLASSIFICATION, NO_NAMES))
        .extracting(ReadRecord::record)
        .containsExactly(
            new TextRecord.Sentence("one", "1"), new TextRecord.Sentence("two\nlines", "0"));
    write("open.csv", "sentence,label\none,1\n" + ",".repeat(30_000) + "\ntwo,0\n");
    assertThat(refusal(file))
        .isEqualTo(
            "Cannot read file:" + file + ": wrong number of columns or broken quotes, line 3");
  }

  @Test
  void aHeaderIsNoRecordWhateverItsNames() throws IOException {
    for (String header : List.of("\tsentence\tlabel", "id\tid\tsentence\tlabel")) {
      String cells = header.startsWith("id") ? "0\t0" : "0";
      Path file = write("pandas.tsv", header + "\n" + cells + "\tone\t1\n");
      assertThat(read(file, Task.CLASSIFICATION, NO_NAMES))
          .extracting(ReadRecord::position, ReadRecord::record)
          .containsExactly(tuple(2L, new TextRecord.Sentence("one", "1")));
    }
  }

  @Test
  void whatCannotBeReadIsNamedInOneLine() throws IOException {
    Path cut = dir.resolve("cut.jsonl.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(cut))) {
      out.write(("{\"sentence\": \"one\", \"label\": 1}\n").repeat(5000).getBytes(UTF_8));
    }
    byte[] bytes = Files.readAllBytes(cut);
    Files.write(cut, Arrays.copyOf(bytes, bytes.length / 2));
    assertThatThrownBy(() -> read(cut, Task.CLASSIFICATION, NO_NAMES))
        .hasRootCauseMessage("Unexpected end of input stream")
        .rootCause()
        .isInstanceOf(EOFException.class);
    Path pattern = Files.createDirectories(dir.resolve("[ab]"));
    write("[ab]/x.jsonl", "{\"sentence\": \"one\", \"label\": 1}\n");
    assertThat(read(pattern, Task.CLASSIFICATION, NO_NAMES)).hasSize(1);
    assertThat(read(dir.resolve("*ab*/*.jsonl"), Task.CLASSIFICATION, NO_NAMES)).hasSize(1);
  }

  @Test
  void bytesOfParquetAreTextOrRefused() {
    Path parquet = dir.resolve("bytes.parquet");
    spark
        .sql(
            "SELECT X'c3a4' AS sentence, X'31' AS label, X'ff' AS image UNION ALL"
                + " SELECT X'e4', X'30', X'fe'")
        .coalesce(1)
        .write()
        .parquet(parquet.toString());
    assertThat(read(parquet, Task.CLASSIFICATION, NO_NAMES))
        .extracting(ReadRecord::record, ReadRecord::reason)
        .containsExactlyInAnyOrder(
            tuple(new TextRecord.Sentence("ä", "1"), null),
            tuple(null, "sentence is binary and not UTF-8"));
    assertThat(table(parquet).collectAsList())
        .extracting(row -> row.isNullAt(3))
        .containsExactlyInAnyOrder(true, false);

    Path nested = dir.resolve("nested.parquet");
    spark
        .sql(
            "SELECT named_struct('stem', X'73') AS question,"
                + " named_struct('text', array(X'78', X'79'), 'label', array('A', 'B')) AS choices,"
                + " 'B' AS answer")
        .write()
        .parquet(nested.toString());
    assertThat(read(nested, Task.MULTIPLE_CHOICE, NO_NAMES).get(0).record())
        .isEqualTo(
            new TextRecord.MultipleChoice(
                null,
                "s",
                List.of(new TextRecord.Choice("A", "x"), new TextRecord.Choice("B", "y")),
                "B"));
  }

  private RecordReader reader(Map<String, String> columns) {
    return new RecordReader(
        spark, new RecordParser(Task.CLASSIFICATION, columns), Optional.empty(), UTF_8);
  }

  @Test
  void aTableKeepsItsColumnsAndTypesBesideItsRecords() throws IOException {
    Path lines =
        write(
            "t.jsonl",
            "{\"sentence\": \"one\", \"label\": 1, \"id\": 7}\n{\"sentence\": \n{\"sentence\": \"two\", \"id\": 8}\n");
    Dataset<Row> rows = table(lines);
    assertThat(rows.columns())
        .containsExactlyInAnyOrder("id", "label", "sentence", "_guilomo_record");
    assertThat(rows.schema().apply("id").dataType()).isEqualTo(DataTypes.LongType);
    List<Row> all = rows.orderBy("id").collectAsList();
    assertThat(all).hasSize(3);
    assertThat(all.get(0).<String>getAs("_guilomo_record")).isNull();
    RecordParser parser = new RecordParser(Task.CLASSIFICATION, NO_NAMES);
    assertThat(parser.parse(all.get(1).getAs("_guilomo_record")))
        .isEqualTo(new TextRecord.Sentence("one", "1"));

    Path parquet = dir.resolve("t.parquet");
    rows.filter("id IS NOT NULL").drop("_guilomo_record").write().parquet(parquet.toString());
    Dataset<Row> read = table(parquet);
    assertThat(read.count()).isEqualTo(2);
    assertThat(parser.parse(read.orderBy("id").collectAsList().get(1).getAs("_guilomo_record")))
        .isEqualTo(new TextRecord.Sentence("two", null));

    Path tabs = write("t.tsv", "sentence\tlabel\nthree\t0\nshort\n");
    List<Row> split = table(tabs).collectAsList();
    assertThat(split).extracting(row -> row.<String>getAs("sentence")).contains("three");
    assertThat(split.stream().filter(row -> row.getAs("_guilomo_record") == null)).hasSize(1);
  }

  private Dataset<Row> table(Path path) {
    return new RecordReader(
            spark, new RecordParser(Task.CLASSIFICATION, NO_NAMES), Optional.empty(), UTF_8)
        .table(RecordSource.path(path.toString()));
  }

  @Test
  void readsTabSeparatedTextWithoutHeader() throws IOException {
    Path file =
        write("cola.tsv", "gj\t1\t\tHe said \"no\\\".\r\ngj\t0\t*\t\"Open 'quote\r\nshort\t1\r\n");
    List<ReadRecord> records =
        read(file, Task.CLASSIFICATION, Map.of("sentence", "_c3", "label", "_c1"));
    assertThat(records.get(0).record())
        .isEqualTo(new TextRecord.Sentence("He said \"no\\\".", "1"));
    assertThat(records.get(1).record()).isEqualTo(new TextRecord.Sentence("\"Open 'quote", "0"));
    assertThat(records.get(2).json()).isEqualTo("short\t1");
    assertThat(records.get(2).reason()).isEqualTo("wrong number of columns or broken quotes");
  }

  @Test
  void readsTabSeparatedTextWithHeaderAndByteOrderMark() throws IOException {
    Path file = write("mrpc.tsv", "\uFEFFQuality\t#1 String\t#2.String\r\n1\ta \"b\tc\r\n");
    List<ReadRecord> records =
        read(
            file,
            Task.CLASSIFICATION,
            Map.of("label", "Quality", "sentence", "#1 String", "sentence2", "#2.String"));
    assertThat(records).hasSize(1);
    assertThat(records.get(0).record()).isEqualTo(new TextRecord.SentencePair("a \"b", "c", "1"));
  }

  @Test
  void readsCommaSeparatedText() throws IOException {
    Path file = write("a.csv", "\uFEFFsentence,label\n\"one, \"\"two\"\"\nthree\",1\nfour,0\n");
    List<ReadRecord> records = read(file, Task.CLASSIFICATION, NO_NAMES);
    assertThat(records)
        .extracting(ReadRecord::record)
        .containsExactly(
            new TextRecord.Sentence("one, \"two\"\nthree", "1"),
            new TextRecord.Sentence("four", "0"));
  }

  @Test
  void readsNestedParquetAsItsJson() throws IOException {
    Path json =
        write(
            "q.jsonl",
            "{\"question\": {\"stem\": \"s\", \"choices\": [{\"text\": \"x\", \"label\": \"A\"},"
                + " {\"text\": \"y\", \"label\": \"B\"}]}, \"answerKey\": \"B\"}\n");
    Path parquet = dir.resolve("q.parquet");
    spark.read().json(json.toString()).write().parquet(parquet.toString());
    TextRecord record = read(parquet, Task.MULTIPLE_CHOICE, NO_NAMES).get(0).record();
    assertThat(record)
        .isEqualTo(
            new TextRecord.MultipleChoice(
                null,
                "s",
                List.of(new TextRecord.Choice("A", "x"), new TextRecord.Choice("B", "y")),
                "B"))
        .isEqualTo(read(json, Task.MULTIPLE_CHOICE, NO_NAMES).get(0).record());

    Path whole = dir.resolve("directory");
    Files.createDirectory(whole);
    Files.copy(json, whole.resolve("part-0.jsonl"));
    assertThat(read(whole, Task.MULTIPLE_CHOICE, NO_NAMES)).hasSize(1);
  }

  @Test
  void refusesWhatIsNotThere() throws IOException {
    Path missing = dir.resolve("missing.jsonl");
    assertThatThrownBy(() -> read(missing, Task.CLASSIFICATION, NO_NAMES))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot read " + missing + ": there is no such file");
    Path tsv = write("b.tsv", "text\tcategory\na\t1\n");
    assertThatThrownBy(() -> read(tsv, Task.CLASSIFICATION, NO_NAMES))
        .hasMessage("Cannot read " + tsv + ": no column label; columns are text, category");
    Path empty = write("empty.tsv", "");
    assertThatThrownBy(() -> read(empty, Task.CLASSIFICATION, NO_NAMES))
        .hasMessage("Cannot read " + empty + ": it contains no records");
    Path odd = write("records.dat", "x");
    assertThatThrownBy(() -> read(odd, Task.CLASSIFICATION, NO_NAMES))
        .hasMessage(
            "Cannot tell the format of records.dat by its extension: set data.format to one of"
                + " [json, parquet, tsv, csv]");
    Path parquet = write("no.parquet", "this is text, not Parquet");
    assertThatThrownBy(() -> read(parquet, Task.CLASSIFICATION, NO_NAMES))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot read " + parquet + " as Parquet: ");
    assertThatThrownBy(() -> DataFormat.parse("xml"))
        .hasMessage("Cannot use data format xml: expected one of [json, parquet, tsv, csv]");
  }

  @ParameterizedTest
  @ValueSource(strings = {"json", "parquet", "csv", "tsv"})
  void everyFormatOfAConfigurationIsKnown(String name) {
    GuilomoConfig config = GuilomoConfig.load(null, List.of("data.format=" + name));
    assertThat(DataFormat.parse(config.data().format())).hasToString(name);
  }

  private List<ReadRecord> read(Path path, Task task, Map<String, String> columns) {
    List<ReadRecord> records =
        new RecordReader(spark, new RecordParser(task, columns), Optional.empty(), UTF_8)
            .read(RecordSource.path(path.toString()), true)
            .collect();
    return records.stream().sorted(Comparator.comparing(ReadRecord::position)).toList();
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(dir.resolve(name), text);
  }
}
