package io.guilomo.spark.table;

import static org.apache.spark.sql.functions.udf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.table.GsvHistoryTable.Entry;
import io.guilomo.spark.table.RunsTable.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestTableWriter {
  private static final LocalDate MONDAY = LocalDate.of(2026, 3, 2);
  private static final LocalDate TUESDAY = MONDAY.plusDays(1);
  private static final Instant START = Instant.parse("2026-03-02T23:59:59.123456789Z");

  private final SparkSession spark = SharedSparkSession.session();

  @TempDir Path dir;

  @Test
  void aRunThatIsRepeatedLeavesTheTableAsItWas() {
    for (int attempt = 0; attempt < 3; attempt++) {
      writer("r1", MONDAY, "allocate").replace(GsvHistoryTable.INSTANCE, entries(0.5, 4));
      assertThat(values("r1")).containsExactly(0.5, 1.5, 2.5, 3.5);
    }
    assertThat(hidden("gsv_history")).isEmpty();
  }

  @Test
  void runsLieSideBySide() {
    writer("r1", MONDAY, "allocate").replace(GsvHistoryTable.INSTANCE, entries(0.5, 2));
    writer("r1-b", MONDAY, "allocate").replace(GsvHistoryTable.INSTANCE, entries(10, 3));
    writer("007", TUESDAY, "allocate").replace(GsvHistoryTable.INSTANCE, entries(20, 1));
    writer("r1", MONDAY, "allocate").replace(GsvHistoryTable.INSTANCE, entries(0.25, 1));
    assertThat(values("r1")).containsExactly(0.25);
    assertThat(values("r1-b")).containsExactly(10.0, 11.0, 12.0);
    assertThat(values("007")).containsExactly(20.0);
    assertThat(reader().read(GsvHistoryTable.INSTANCE).count()).isEqualTo(5);
  }

  @Test
  void rowsOfAnotherDateAreReplaced() {
    writer("r1", MONDAY, "allocate").replace(GsvHistoryTable.INSTANCE, entries(1, 2));
    writer("r1", TUESDAY, "allocate").replace(GsvHistoryTable.INSTANCE, entries(5, 1));
    assertThat(values("r1")).containsExactly(5.0);
    Row row = reader().read(GsvHistoryTable.INSTANCE).first();
    assertThat(row.getDate(row.fieldIndex("run_date"))).isEqualTo(java.sql.Date.valueOf(TUESDAY));
  }

  @Test
  void jobsOfARunKeepEachOthersRows() {
    writer("r1", MONDAY, "allocate")
        .replace(RunsTable.INSTANCE, List.of(run("allocate", "RUNNING")));
    writer("r1", TUESDAY, "finetune")
        .replace(RunsTable.INSTANCE, List.of(run("finetune", "RUNNING")));
    writer("r1", TUESDAY, "allocate")
        .replace(RunsTable.INSTANCE, List.of(run("allocate", "FAILED")));
    writer("r1", TUESDAY, "finetune")
        .replace(RunsTable.INSTANCE, List.of(run("finetune", "SUCCEEDED")));
    assertThat(
            reader()
                .read(RunsTable.INSTANCE)
                .orderBy("job")
                .select("job", "status")
                .collectAsList())
        .extracting(Row::mkString)
        .containsExactly("allocateFAILED", "finetuneSUCCEEDED");
    assertThat(hidden("runs")).isEmpty();
  }

  @Test
  void timesAreMicrosecondsOfUtc() {
    writer("r1", MONDAY, "allocate")
        .replace(RunsTable.INSTANCE, List.of(run("allocate", "RUNNING")));
    Dataset<Row> rows = reader().read(RunsTable.INSTANCE, "r1");
    assertThat(rows.selectExpr("unix_micros(started_at)").first().getLong(0))
        .isEqualTo(START.getEpochSecond() * 1_000_000 + 123_456);
    assertThat(rows.select("finished_at").first().isNullAt(0)).isTrue();
    assertThat(rows.select("schema_version").first().getInt(0)).isEqualTo(3);
    assertThat(parquetSchema("runs")).contains("int64 started_at (TIMESTAMP(MICROS,true))");
  }

  @Test
  void aWriteThatFailsLosesNothing() {
    TableWriter writer = writer("r1", MONDAY, "allocate");
    writer.replace(GsvHistoryTable.INSTANCE, entries(1, 3));
    UDF1<Double, Double> fails =
        value -> {
          if (value > 1000) {
            throw new IllegalStateException("disk on fire");
          }
          return value;
        };
    Dataset<Row> broken =
        reader()
            .read(GsvHistoryTable.INSTANCE)
            .drop(Table.SCHEMA_VERSION, Table.RUN_DATE, Table.RUN_ID)
            .crossJoin(spark.range(2000).toDF("n"))
            .withColumn(
                "value", udf(fails, DataTypes.DoubleType).apply(functions.col("n").cast("double")));
    assertThatThrownBy(() -> writer.replaceWithInputColumns(GsvHistoryTable.INSTANCE, broken))
        .hasStackTraceContaining("disk on fire");
    assertThat(values("r1")).containsExactly(1.0, 2.0, 3.0);
    assertThat(hidden("gsv_history")).isEmpty();
  }

  @Test
  void hiddenFilesOfAnAttemptThatDiedAreSkippedAndThenRemoved() throws IOException {
    TableWriter writer = writer("r1", MONDAY, "allocate");
    writer.replace(GsvHistoryTable.INSTANCE, entries(1, 2));
    Path table = dir.resolve("tables/gsv_history");
    String uuid = "01234567-89ab-cdef-0123-456789abcdef";
    for (String name :
        List.of("_temporary-r1-allocate-" + uuid, "_temporary-r1-allocate-x-allocate-" + uuid)) {
      Path dead =
          Files.createDirectories(table.resolve(name).resolve("run_date=2026-03-02/run_id=r1"));
      try (Stream<Path> files = Files.list(table.resolve("run_date=2026-03-02/run_id=r1"))) {
        for (Path file : files.toList()) {
          Files.copy(file, dead.resolve(file.getFileName()));
        }
      }
    }
    assertThat(values("r1")).containsExactly(1.0, 2.0);
    writer.replace(GsvHistoryTable.INSTANCE, entries(1, 2));
    assertThat(values("r1")).containsExactly(1.0, 2.0);
    assertThat(hidden("gsv_history")).containsExactly("_temporary-r1-allocate-x-allocate-" + uuid);
  }

  @Test
  void aDistributedDatasetIsWrittenByColumnName() {
    Dataset<Row> rows =
        spark.sql(
            "SELECT id AS value, id = 2 AS is_argmax, id AS index, 1 AS expert, 'rank' AS kind, 'q_proj' AS module, "
                + "0 AS layer, 7 AS round, 42 AS seed, 'x' AS other FROM range(0, 3, 1, 2)");
    writer("r1", MONDAY, "allocate").replaceWithInputColumns(GsvHistoryTable.INSTANCE, rows);
    assertThat(values("r1")).containsExactly(0.0, 1.0, 2.0);
    assertThat(
            reader()
                .read(GsvHistoryTable.INSTANCE)
                .filter("is_argmax")
                .select("index")
                .first()
                .getInt(0))
        .isEqualTo(2);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                writer("r1", MONDAY, "allocate")
                    .replaceWithInputColumns(GsvHistoryTable.INSTANCE, rows.drop("module")))
        .withMessage("Cannot write table gsv_history: column module is missing");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".hidden", "_x", "a/b", "a=b", "../up", "a b", "é", "a\n"})
  void refusesRunIdsThatAreNoDirectoryNames(String runId) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new JobRun(runId, MONDAY, "allocate"))
        .withMessage(
            "Cannot use run id '" + runId + "': it must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  }

  @Test
  void refusesLongRunIdsAndJobsThatAreNoCommands() {
    assertThat(new JobRun("x".repeat(128), MONDAY, "allocate").runId()).hasSize(128);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new JobRun("x".repeat(129), MONDAY, "allocate"))
        .withMessageStartingWith("Cannot use run id 'xxx");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new JobRun("x", MONDAY, "fine-tune"))
        .withMessage("Cannot use job name 'fine-tune': it must match [a-z][a-z0-9_]{0,31}");
  }

  private static List<Entry> entries(double first, int count) {
    return Stream.iterate(0, i -> i + 1)
        .limit(count)
        .map(
            i -> new Entry(42, 7, 0, "q_proj", GsvHistoryTable.EXPERTS, null, i, first + i, i == 0))
        .toList();
  }

  private static Run run(String job, String status) {
    return new Run(
        new RunsTable.Execution(job, status, START, null, 2, "0.1.0"),
        new RunsTable.Inputs(42, "guilomo", "/m", "abc", "/d", "{}"),
        null);
  }

  private TableWriter writer(String runId, LocalDate date, String job) {
    return new TableWriter(spark, dir.toString(), new JobRun(runId, date, job));
  }

  private TableReader reader() {
    return new TableReader(spark, dir.toString());
  }

  private List<Double> values(String runId) {
    return reader()
        .read(GsvHistoryTable.INSTANCE, runId)
        .orderBy("index")
        .select("value")
        .collectAsList()
        .stream()
        .map(row -> row.getDouble(0))
        .toList();
  }

  private List<String> hidden(String table) {
    try (Stream<Path> files = Files.list(dir.resolve("tables").resolve(table))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("_"))
          .toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private String parquetSchema(String table) {
    try (Stream<Path> files = Files.walk(dir.resolve("tables").resolve(table))) {
      Path file = files.filter(f -> f.toString().endsWith(".parquet")).findFirst().orElseThrow();
      org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(file.toUri());
      try (var parquet =
          org.apache.parquet.hadoop.ParquetFileReader.open(
              org.apache.parquet.hadoop.util.HadoopInputFile.fromPath(
                  path, spark.sparkContext().hadoopConfiguration()))) {
        return parquet.getFileMetaData().getSchema().toString();
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
