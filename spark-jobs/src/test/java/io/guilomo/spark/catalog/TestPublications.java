package io.guilomo.spark.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.OutputConfig;
import io.guilomo.model.UserException;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.MetricsTable.Metric;
import io.guilomo.spark.table.MetricsTable.Moment;
import io.guilomo.spark.table.PredictionsTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.TableWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tables of real catalogs, and what is published to them. */
class TestPublications {

  private static final LocalDate MONDAY = LocalDate.of(2026, 1, 5);
  private static final Instant START = Instant.parse("2026-01-05T08:00:00.000001Z");

  /** Longer than the prefix that Iceberg keeps of bounds, and a number. */
  private static final String LONG = "scheduled__2026-01-05T00-00-00-2bf75e2788";

  private static final String NUMBER = "2026";

  private static final String EARLIER =
      "[null,null,null,null,null,null,loss,0.5,null,null,null,null,0,2025-12-01,old]";

  @TempDir private Path directory;
  private final List<String> messages = new ArrayList<>();

  /** Into a table of an earlier release among others, to which its owner has added a column. */
  @ParameterizedTest
  @ValueSource(strings = {"iceberg", "delta"})
  void rowsAreThoseOfParquetHoweverOftenTheyArePublished(String format) throws IOException {
    OutputConfig output = Lake.output(directory, format, Lake.catalog(format, "often"));
    createEarlier(output);
    write(LONG, MONDAY, "allocate", 0.5, 0.25);
    write(LONG, MONDAY.plusDays(1), "finetune", 1.5);
    write(NUMBER, MONDAY, "allocate", 0.5);
    Publications publications = publications(output);
    assertThat(publications.publish("")).containsExactly(NUMBER, LONG);
    assertSame(output, EARLIER);
    publications.publish("");
    assertSame(output, EARLIER);

    write(LONG, MONDAY.plusDays(2), "finetune", 3.5, 4.5, 5.5);
    write(NUMBER, MONDAY, "allocate", 0.125);
    publications(output).ended(LONG, false, () -> messages.add("done"));
    assertThat(Lake.published(output, MetricsTable.INSTANCE))
        .as("the other run is as it was")
        .hasSize(7)
        .anyMatch(row -> row.contains(",0.5,") && row.endsWith("," + NUMBER + "]"));
    publications.publish(NUMBER);
    assertSame(output, EARLIER);
    assertThat(
            Lake.read(output, MetricsTable.INSTANCE)
                .select("ours")
                .distinct()
                .orderBy("ours")
                .collectAsList())
        .extracting(Row::toString)
        .containsExactly("[null]", "[x]");
    assertThat(messages)
        .containsExactly("tables of run " + LONG + " published to " + output.catalog(), "done");
    assertThatThrownBy(() -> publications.publish("other"))
        .isInstanceOf(UserException.class)
        .hasMessage("Cannot publish run other: " + directory + "/tables/runs does not have it");
  }

  /** Those that an earlier attempt had finished, too. */
  @Test
  void aRunsPartsArePublishedWithIt() throws IOException {
    OutputConfig output = Lake.output(directory, "iceberg", Lake.catalog("iceberg", "parts"));
    write("c", MONDAY, "compare", 1);
    write("c.uniform.1", MONDAY, "finetune", 2);
    write("cc", MONDAY, "finetune", 3);
    Publications publications = publications(output);
    publications.ofParts().ended("c.uniform.1", false, () -> messages.add("done"));
    assertThat(messages).containsExactly("done");
    assertThat(Lake.published(output, MetricsTable.INSTANCE)).isEmpty();
    publications.ended("c", true, () -> {});
    assertThat(Lake.read(output, MetricsTable.INSTANCE).select("run_id").collectAsList())
        .extracting(row -> row.getString(0))
        .containsExactlyInAnyOrder("c", "c.uniform.1");
  }

  private static void createEarlier(OutputConfig output) {
    SparkSession spark = Lake.session();
    CatalogName name = CatalogName.of(spark, output);
    if (!name.isDirectory()) {
      spark.sql("CREATE NAMESPACE " + name.namespace());
    }
    String table = name.table(MetricsTable.INSTANCE);
    spark.sql(
        ("CREATE TABLE %s (name STRING, value DOUBLE, schema_version INT, run_date DATE, run_id"
                + " STRING, ours STRING) USING %s PARTITIONED BY (run_date, run_id)")
            .formatted(table, output.tables()));
    spark.sql(
        "INSERT INTO %s VALUES ('loss', 0.5D, 0, DATE'2025-12-01', 'old', 'x')".formatted(table));
  }

  @ParameterizedTest
  @ValueSource(strings = {"iceberg", "delta"})
  void predictionsKeepTheColumnsOfTheirRecords(String format) throws IOException {
    OutputConfig output = Lake.output(directory, format, Lake.catalog(format, "records"));
    String own = ", 'yes' AS prediction, map('yes', 0.75D) AS probabilities, NULL AS generated";
    predict("a", "SELECT 7L AS id, 'one' AS text, 2026 AS year" + own);
    predict(
        "b",
        "SELECT CAST(8 AS SMALLINT) AS ID, struct(1 AS x) AS text, 'never' AS year, 1.5D AS `a.b`"
            + own);
    publications(output).publish("a");
    publications(output).publish("b");
    assertThat(
            Lake.read(output, PredictionsTable.INSTANCE)
                .selectExpr("run_id", "id", "text", "year", "`a.b`", "prediction", "probabilities")
                .orderBy("run_id")
                .collectAsList())
        .extracting(Row::toString)
        .containsExactly(
            "[a,7,one,2026,null,yes,Map(yes -> 0.75)]",
            "[b,8,{\"x\":1},null,1.5,yes,Map(yes -> 0.75)]");
    assertThat(messages)
        .containsExactly(
            "warning: table predictions of %s cannot have columns year of the records: they are in Parquet only"
                .formatted(output.catalog()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"iceberg", "delta"})
  void runsMayBePublishedAtTheSameTime(String format) throws Exception {
    OutputConfig output = Lake.output(directory, format, Lake.catalog(format, "together"));
    List<String> runs = List.of("a", "b");
    List<Callable<List<String>>> calls = new ArrayList<>();
    for (String run : runs) {
      write(run, MONDAY, "allocate", 0.5);
      calls.add(() -> publications(output).publish(run));
    }
    ExecutorService threads = Executors.newFixedThreadPool(runs.size());
    try {
      for (Future<List<String>> published : threads.invokeAll(calls)) {
        assertThat(published.get()).hasSize(1);
      }
    } finally {
      threads.shutdown();
    }
    assertSame(output);
  }

  private Publications publications(OutputConfig output) {
    return new Publications(Lake.session(), output, messages::add);
  }

  private static void assertSame(OutputConfig output, String... others) {
    assertThat(Lake.published(output, RunsTable.INSTANCE))
        .isNotEmpty()
        .isEqualTo(Lake.expected(output, RunsTable.INSTANCE));
    List<String> metrics = new ArrayList<>(Lake.expected(output, MetricsTable.INSTANCE));
    assertThat(metrics).isNotEmpty();
    metrics.addAll(List.of(others));
    assertThat(Lake.published(output, MetricsTable.INSTANCE))
        .containsExactlyInAnyOrderElementsOf(metrics);
  }

  private TableWriter writer(String run, LocalDate date, String job) {
    return new TableWriter(
        SharedSparkSession.session(), directory.toString(), new JobRun(run, date, job));
  }

  private void write(String run, LocalDate date, String job, double... values) {
    TableWriter writer = writer(run, date, job);
    writer.replace(RunsTable.INSTANCE, List.of(ran(job)));
    List<Metric> metrics = new ArrayList<>();
    for (double value : values) {
      Moment moment = new Moment(job, 42, 0, metrics.size(), START.plusSeconds(metrics.size()));
      metrics.add(new Metric(moment, MetricsTable.ALL_WORKERS, "train", "loss", value));
    }
    writer.replace(MetricsTable.INSTANCE, metrics);
  }

  private void predict(String run, String query) {
    TableWriter writer = writer(run, MONDAY, "predict");
    writer.replace(RunsTable.INSTANCE, List.of(ran("predict")));
    writer.replaceWithInputColumns(
        PredictionsTable.INSTANCE, SharedSparkSession.session().sql(query));
  }

  private static RunsTable.Run ran(String job) {
    return new RunsTable.Run(
        new RunsTable.Execution(job, "SUCCEEDED", START, START.plusSeconds(60), 2, "1"),
        new RunsTable.Inputs(42, "uniform", "model", "digest", "data", "{}"),
        null);
  }
}
