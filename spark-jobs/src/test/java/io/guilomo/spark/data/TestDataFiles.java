package io.guilomo.spark.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.guilomo.data.DataReport;
import io.guilomo.data.RecordParser;
import io.guilomo.data.TextRecord;
import io.guilomo.data.TextRecord.Sentence;
import io.guilomo.model.RecordSource;
import io.guilomo.model.Task;
import io.guilomo.spark.SharedSparkSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestDataFiles {

  private static final String ONE = "{\"sentence\":\"one\",\"label\":1}\n";

  @TempDir private Path dir;

  private final SparkSession spark = SharedSparkSession.session();

  @Test
  void patternsLeaveOutHiddenFiles() throws IOException {
    write("out/part-0.jsonl", ONE);
    write("out/.part-1.jsonl", ONE);
    write("out/_SUCCESS", "x");
    write("out/_temporary/part-2.jsonl", ONE);
    write("out/.git/part-3.jsonl", ONE);
    assertThat(found("out/*")).containsExactly("out/part-0.jsonl");
    assertThat(found("out")).containsExactly("out/part-0.jsonl");
    assertThat(found("*/*.jsonl")).containsExactly("out/part-0.jsonl");
    assertThat(found("{out,out/*}/*.jsonl")).containsExactly("out/part-0.jsonl");
    assertThat(found("out/_temp*/*.jsonl")).containsExactly("out/_temporary/part-2.jsonl");
    assertThat(found("out/.git/*")).containsExactly("out/.git/part-3.jsonl");
    assertThat(found("out/_temporary")).containsExactly("out/_temporary/part-2.jsonl");
    assertThatThrownBy(() -> found("out/[_.]*"))
        .hasMessage("Cannot read " + dir + "/out/[_.]*: there is no such file");
  }

  private List<String> found(String name) {
    return DataFiles.find(dir + "/" + name, spark.sparkContext().hadoopConfiguration())
        .files()
        .stream()
        .map(file -> file.path().substring(("file:" + dir + "/").length()))
        .toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          a.jsonl | {"sentence": "TEXT", "label": 5}
          a.json | [{"sentence": "TEXT"},{"label": "x", "sentence": "also TEXT"}]
          a.tsv | sentence;TEXT
          a.csv | sentence;TEXT
          """)
  void directoriesGiveFields(String name, String content) throws IOException {
    List<TextRecord> expected = new ArrayList<>();
    for (String label : List.of("1", "a b", "c/d%e", "ä")) {
      String text = content.replace("TEXT", "in " + label).replace(";", "\n") + "\n";
      String escaped = label.replace("%", "%25").replace("/", "%2F");
      write("set/fold=0/label=" + escaped + "/deeper/" + name, text);
      expected.add(new Sentence("in " + label, label));
      if (name.endsWith(".json")) {
        expected.add(new Sentence("also in " + label, label));
      }
    }
    assertThat(reader().read(RecordSource.path(dir + "/set"), true).collect())
        .extracting(ReadRecord::record)
        .containsExactlyInAnyOrderElementsOf(expected);
    List<Row> rows = reader().table(RecordSource.path(dir + "/set")).collectAsList();
    assertThat(rows).extracting(row -> row.getAs("fold")).containsOnly("0");
    assertThat(rows).extracting(row -> row.getAs("label")).contains("c/d%e", "ä");
  }

  @Test
  void parquetIsReadWhereverItLies() throws IOException {
    String plain = dir + "/plain";
    parquet("'one' AS sentence, 1 AS label", plain + "/a/b");
    parquet("'two' AS sentence, 0 AS label", plain + "/c");
    Sentence two = new Sentence("two", "0");
    assertThat(records(plain)).containsExactlyInAnyOrder(new Sentence("one", "1"), two);

    parquet("'three' AS sentence", dir + "/parts/label=1/x");
    parquet("'four' AS sentence", dir + "/parts/label=0/y");
    assertThat(records(dir + "/parts"))
        .containsExactlyInAnyOrder(new Sentence("three", "1"), new Sentence("four", "0"));

    parquet("'five' AS sentence, 0 AS label", plain + "/split=train");
    assertThatThrownBy(() -> records(plain))
        .hasMessageContaining(" as Parquet: its files lie in directories of different columns, ")
        .hasMessageContaining("such as none and split; name those of one kind");
    assertThat(records(plain + "/split=train")).containsExactly(new Sentence("five", "0"));
  }

  private void parquet(String columns, String path) {
    spark.sql("SELECT " + columns).coalesce(1).write().parquet(path);
  }

  private List<TextRecord> records(String path) {
    return reader().read(RecordSource.path(path), true).map(ReadRecord::record).collect();
  }

  @Test
  void smallFilesShareTasks() throws IOException {
    DataFile small = new DataFile("file:/a", 1000, 0, Map.of());
    DataFile large = new DataFile("file:/b", 300L << 20, 0, Map.of());
    List<DataFile> files = new ArrayList<>(Collections.nCopies(1000, small));
    files.add(500, large);
    List<List<DataFile>> tasks = TextFiles.tasks(files, 8);
    assertThat(tasks.stream().flatMap(List::stream)).containsExactlyElementsOf(files);
    assertThat(tasks).hasSizeBetween(30, 40).contains(List.of(large));
    assertThat(TextFiles.tasks(List.of(small, large), 2))
        .containsExactly(List.of(small), List.of(large));

    List<TextRecord> expected = new ArrayList<>();
    for (int i = 100; i < 140; i++) {
      write("many/" + i + ".csv", "sentence,label\ns" + i + ",1\n");
      expected.add(new Sentence("s" + i, "1"));
    }
    JavaRDD<ReadRecord> read = reader().read(RecordSource.path(dir + "/many"), true);
    assertThat(read.getNumPartitions()).isLessThan(40);
    assertThat(read.map(ReadRecord::record).collect()).containsExactlyElementsOf(expected);
    assertThat(read.map(ReadRecord::position).collect()).startsWith(2L, 4L).endsWith(80L);
  }

  @Test
  void whatOneTaskReadsIsEncodedByMany() throws IOException {
    String text = "word ".repeat(20_000);
    write(
        "large.csv",
        "sentence,label\n"
            + String.join("", IntStream.range(0, 90).mapToObj(i -> text + i + ",1\n").toList()));
    int parallelism = spark.sparkContext().defaultParallelism();
    assertThat(parallelism).isGreaterThan(1);
    assertThat(reader().read(RecordSource.path(dir + "/large.csv"), true).getNumPartitions())
        .isEqualTo(1);
    JavaRDD<ReadRecord> even = reader().readEvenly(RecordSource.path(dir + "/large.csv"), true);
    assertThat(even.getNumPartitions()).isEqualTo(parallelism);
    assertThat(even.map(ReadRecord::position).collect())
        .containsExactlyInAnyOrderElementsOf(
            IntStream.range(2, 92).mapToObj(Long::valueOf).toList());
  }

  /** Without numbering the lines first, which would read them twice. */
  @Test
  void aReportCountsTheLinesOfAllTasks() throws IOException {
    for (String name : List.of("a", "b", "c")) {
      write("r/" + name + ".csv", "sentence,label\none,1\n,1\n\"two\nlines\",0\n\n" + name + "\n");
    }
    DataReport report = reader().report(RecordSource.path(dir + "/r"));
    assertThat(report.read()).isEqualTo(12);
    assertThat(report.bad()).isEqualTo(6);
    List<ReadRecord> bad =
        reader()
            .read(RecordSource.path(dir + "/r"), false)
            .filter(ReadRecord::isBad)
            .collect()
            .stream()
            .sorted(Comparator.comparingLong(ReadRecord::position))
            .limit(5)
            .toList();
    assertThat(report.samples())
        .extracting(DataReport.BadRecord::position, DataReport.BadRecord::reason)
        .containsExactlyElementsOf(
            bad.stream().map(one -> tuple(one.position(), one.reason())).toList());
  }

  private RecordReader reader() {
    return new RecordReader(
        spark, new RecordParser(Task.CLASSIFICATION, Map.of()), Optional.empty(), UTF_8);
  }

  private void write(String name, String text) throws IOException {
    Path file = dir.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
