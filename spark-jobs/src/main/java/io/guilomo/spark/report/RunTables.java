package io.guilomo.spark.report;

import static org.apache.spark.sql.functions.col;

import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.SqlViews;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.sql.Timestamp;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The rows of one run. The tables of measurements, which grow with the steps, are queried; of the
 * others, which are as large as the model's list of modules, each is read once.
 */
final class RunTables {

  /** More would be tasks without a row: what a report asks for is small once it is grouped. */
  private static final String PARTITIONS = "4";

  private static final List<Table<?>> MEASUREMENTS =
      List.of(GsvHistoryTable.INSTANCE, MetricsTable.INSTANCE);

  /** Those over nothing but measurements. */
  private static final List<String> VIEWS = List.of("learning_curves", "expert_load");

  /** Bytes of measurements that one task has read before a query is compiled and spread. */
  static final long FEW = 16L << 20;

  /** Has the tables of measurements, and the views over them, which no other session sees. */
  private final SparkSession spark;

  private final TableReader reader;
  private final String runId;
  private final Map<Table<?>, List<Row>> read = new HashMap<>();

  private RunTables(SparkSession spark, String outputDir, String runId) {
    this.spark = spark;
    this.reader = new TableReader(spark, outputDir);
    this.runId = runId;
  }

  /**
   * @param few bytes up to which measurements are read by one task: {@link #FEW}
   * @throws IllegalArgumentException if there are no tables in the directory, or if a run cannot
   *     have such a name
   */
  static RunTables open(SparkSession spark, String outputDir, String runId, long few) {
    SparkSession own = spark.newSession();
    own.conf().set("spark.sql.shuffle.partitions", PARTITIONS);
    RunTables tables = new RunTables(own, outputDir, runId);
    tables.reader.requireTables();
    tables.openMeasurements(few);
    return tables;
  }

  private void openMeasurements(long most) {
    Map<Table<?>, Dataset<Row>> measurements = new HashMap<>();
    for (Table<?> table : MEASUREMENTS) {
      measurements.put(table, reader.read(table, runId));
    }
    boolean few =
        measurements.values().stream()
            .allMatch(
                rows ->
                    rows.queryExecution().optimizedPlan().stats().sizeInBytes().longValue()
                        <= most);
    if (few) {
      spark.conf().set("spark.sql.codegen.wholeStage", "false");
      spark.conf().set("spark.sql.codegen.factoryMode", "NO_CODEGEN");
    }
    measurements.forEach(
        (table, rows) -> (few ? rows.coalesce(1) : rows).createOrReplaceTempView(table.name()));
    VIEWS.forEach(name -> SqlViews.create(spark, name));
  }

  /** Names of the runs that a comparison consists of: {@code RUN.STRATEGY.SEED}. */
  List<String> trials() {
    return reader
        .read(RunsTable.INSTANCE)
        .select(Table.RUN_ID)
        .filter(col(Table.RUN_ID).startsWith(runId + "."))
        .distinct()
        .orderBy(Table.RUN_ID)
        .as(Encoders.STRING())
        .collectAsList();
  }

  /** The rows of a table that holds no measurements. */
  List<Row> rows(Table<?> table) {
    return read.computeIfAbsent(table, key -> reader.read(key, runId).coalesce(1).collectAsList());
  }

  /** The run's jobs, in the order in which they began. */
  List<Row> jobs() {
    return rows(RunsTable.INSTANCE).stream()
        .sorted(Comparator.comparing(row -> row.<Timestamp>getAs("started_at")))
        .toList();
  }

  /** The rows that a query of measurements gives. */
  List<Row> measured(String query) {
    return spark.sql(query).collectAsList();
  }

  /**
   * The rows that a query of measurements gives.
   *
   * @param values of the names that follow a colon in it
   */
  List<Row> measured(String query, Map<String, Object> values) {
    return spark.sql(query, values).collectAsList();
  }
}
