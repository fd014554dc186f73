package io.guilomo.spark.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.data.RecordParser;
import io.guilomo.data.Split;
import io.guilomo.data.TextRecord;
import io.guilomo.model.RecordSource;
import io.guilomo.model.RecordSource.Kind;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.spark.SharedSparkSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Records of a table and of a view, by name and by query. */
class TestCatalogRows {

  private static final int RECORDS = 60;

  private static Path file;
  private final SparkSession spark = SharedSparkSession.session();

  @BeforeAll
  static void makeTables(@TempDir Path dir) throws IOException {
    SparkSession spark = SharedSparkSession.session();
    List<String> lines =
        IntStream.range(0, RECORDS)
            .mapToObj(
                i ->
                    "{\"sentence\": \"number %d\", \"label\": \"%s\", \"id\": %d}"
                        .formatted(i, i % 3 == 0 ? "yes" : "no", i))
            .toList();
    file = Files.write(dir.resolve("records.jsonl"), lines);
    Dataset<Row> rows = spark.read().json(file.toString());
    spark.sql("CREATE DATABASE IF NOT EXISTS corpus");
    rows.repartition(3).write().saveAsTable("corpus.records");
    rows.createOrReplaceTempView("viewed_records");
  }

  @AfterAll
  static void dropTables() {
    SparkSession spark = SharedSparkSession.session();
    spark.sql("DROP DATABASE IF EXISTS corpus CASCADE");
    spark.catalog().dropTempView("viewed_records");
  }

  @Test
  void theSameRecordsGiveTheSameShards() {
    String expected = load(RecordSource.path(file.toString())).digest();
    assertThat(load(table("corpus.records")).digest()).isEqualTo(expected);
    assertThat(load(table("viewed_records")).digest()).isEqualTo(expected);
    assertThat(
            load(query("SELECT label, concat('number ', id) AS sentence FROM corpus.records;"))
                .digest())
        .isEqualTo(expected);
  }

  @Test
  void aTableThatHasChangedHasAnotherDigest() {
    RecordSource records = table("corpus.records");
    String before = load(records).digest();
    assertThat(load(query("SELECT * FROM corpus.records WHERE id > 0")).digest())
        .isNotEqualTo(before);
    assertThat(
            load(query("SELECT sentence, if(id = 7, 'yes', label) AS label FROM corpus.records"))
                .digest())
        .isNotEqualTo(before);
    spark.sql("CREATE TABLE corpus.growing USING parquet AS TABLE corpus.records");
    RecordSource growing = table("corpus.growing");
    assertThat(load(growing).digest()).isEqualTo(before);
    spark.sql("INSERT INTO corpus.growing (id, label, sentence) VALUES (60, 'yes', 'one more')");
    assertThat(load(growing).digest()).isNotEqualTo(before);
  }

  @Test
  void validationRecordsMayComeFromElsewhere() {
    ShardedData data =
        ShardedData.load(
            spark,
            source(
                query("SELECT * FROM corpus.records WHERE id < 40"),
                Optional.of(query("SELECT * FROM viewed_records WHERE id >= 38"))),
            encoding(),
            2);
    assertThat(data.report().train()).isEqualTo(38);
    assertThat(data.report().repeated()).isEqualTo(2);
    assertThat(data.report().validation()).isEqualTo(22);
    assertThatThrownBy(() -> source(table("t"), Optional.of(table("t"))))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot validate on the training data table t: name other records, or none to hold some out");
  }

  @Test
  void rowsKeepTheirColumnsBesideTheirRecords() {
    RecordReader reader = reader(Map.of("sentence", "text"));
    RecordSource query =
        query("SELECT id, CAST(sentence AS BINARY) AS text FROM corpus.records WHERE id < 2");
    Dataset<Row> rows = reader.table(query).orderBy("id");
    assertThat(rows.columns()).containsExactly("id", "text", RecordReader.JSON);
    RecordParser parser = reader.parser();
    assertThat(rows.collectAsList())
        .extracting(row -> parser.parse(row.getAs(RecordReader.JSON)))
        .containsExactly(
            new TextRecord.Sentence("number 0", null), new TextRecord.Sentence("number 1", null));
    assertThat(reader.report(query).read()).isEqualTo(2);
  }

  @Test
  void badRecordsAreNamedWithTheirSource() {
    List<ReadRecord> records =
        reader(Map.of())
            .read(query("SELECT 'a' AS sentence, CAST(NULL AS STRING) AS label"), true)
            .collect();
    assertThat(records).hasSize(1);
    assertThat(records.get(0).bad(records.get(0).reason()).toString())
        .contains("query SELECT 'a' AS sentence, CAST(NULL AS STRING) AS label");
    assertThat(records.get(0).reason()).isEqualTo("missing label");
    assertThatThrownBy(() -> load(query("SELECT * FROM corpus.records WHERE id < 0")))
        .hasMessage(
            "Cannot read query SELECT * FROM corpus.records WHERE id < 0: it contains no records");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "corpus.none | there is no table or view `corpus`.`none`",
        "nowhere.corpus.records | there is no catalog for `nowhere`.`corpus`; configure it with spark.sql.catalog.NAME",
        "corpus records | Syntax error at or near 'records': extra input 'records' (line 1, position 7)",
      })
  void whatIsNoTableIsRefusedInOneLine(String name, String reason) {
    refused(table(name), "Cannot read table " + name + ": " + reason);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "SELECT * FORM corpus.records | Syntax error at or near 'corpus' (line 1, position 14)",
        "SELECT * FROM none | there is no table or view `none`",
        "SELECT lable FROM corpus.records | A column or function parameter with name `lable` cannot be"
            + " resolved. Did you mean one of the following? [`label`, `id`, `sentence`] (line 1, position 7)",
        "DROP TABLE corpus.records | Syntax error at or near 'DROP' (line 1, position 0)",
        "SELECT 1; DROP TABLE corpus.records | Syntax error at or near 'DROP': extra input 'DROP' (line 1, position 10)",
      })
  void whatIsNoQueryIsRefusedInOneLineAndNotRun(String sql, String reason) {
    refused(query(sql), "Cannot read query " + sql + ": " + reason);
    assertThat(spark.catalog().tableExists("corpus.records")).isTrue();
  }

  @Test
  void aMissingColumnIsNamed() {
    refused(
        query("SELECT id, sentence FROM corpus.records"),
        "Cannot read query SELECT id, sentence FROM corpus.records: no column label; columns are id, sentence");
    refused(
        query("SELECT a.sentence, b.Sentence, a.label FROM viewed_records a, viewed_records b"),
        "Cannot read query SELECT a.sentence, b.Sentence, a.label FROM viewed_records a…: two columns are"
            + " named Sentence, ignoring case; rename one");
  }

  private void refused(RecordSource source, String message) {
    assertThatThrownBy(() -> reader(Map.of()).read(source, true))
        .isInstanceOf(UserException.class)
        .hasMessage(message);
  }

  private static RecordSource table(String name) {
    return new RecordSource(Kind.TABLE, name);
  }

  private static RecordSource query(String sql) {
    return new RecordSource(Kind.QUERY, sql);
  }

  private RecordReader reader(Map<String, String> columns) {
    return new RecordReader(
        spark, new RecordParser(Task.CLASSIFICATION, columns), Optional.empty(), UTF_8);
  }

  private ShardedData load(RecordSource records) {
    return ShardedData.load(spark, source(records, Optional.empty()), encoding(), 2);
  }

  private static ShardedData.Encoding encoding() {
    return new ShardedData.Encoding(HashEncoder.factory(), 16, false, null, Optional.empty());
  }

  private static DataSource source(RecordSource train, Optional<RecordSource> validation) {
    return new DataSource(
        train,
        validation,
        new Split(0.2),
        Optional.empty(),
        Optional.empty(),
        UTF_8,
        new RecordParser(Task.CLASSIFICATION, Map.of()),
        0);
  }
}
