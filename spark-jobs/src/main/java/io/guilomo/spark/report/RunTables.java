package io.guilomo.spark.report;

import static org.apache.spark.sql.functions.col;

import io.guilomo.model.UserException;
import io.guilomo.spark.session.InterpretedSession;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.sql.Timestamp;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  /** Bytes of measurements that one task has read before a query is compiled and spread. */
  static final long FEW = 16L << 20;

  private final SparkSession spark;
  private final TableReader reader;
  private final String runId;
  private final Map<Table<?>, List<Row>> read = new HashMap<>();
  private final Map<Table<?>, Dataset<Row>> measured = new HashMap<>();
  private Optional<SelectionHistory> selection = Optional.empty();

  private RunTables(SparkSession spark, String outputDir, String runId) {
    this.spark = spark;
    this.reader = new TableReader(spark, outputDir);
    this.runId = runId;
  }

  /**
   * @param few bytes up to which measurements are read by one task: {@link #FEW}
   * @throws UserException if there are no tables in the directory, or if a run cannot have such a
   *     name
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
    for (Table<?> table : MEASUREMENTS) {
      measured.put(table, reader.read(table, runId));
    }
    boolean few =
        measured.values().stream()
            .allMatch(
                rows ->
                    rows.queryExecution().optimizedPlan().stats().sizeInBytes().longValue()
                        <= most);
    if (few) {
      spark.conf().set("spark.sql.adaptive.enabled", "false");
      InterpretedSession.interpret(spark);
      measured.replaceAll((table, rows) -> rows.coalesce(1));
    }
    selection = SelectionHistory.of(measured(GsvHistoryTable.INSTANCE));
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

  /** The rows of a table of measurements, to be queried. */
  Dataset<Row> measured(Table<?> table) {
    return measured.get(table);
  }

  /** What the searches of the run chose, if it has any. */
  Optional<SelectionHistory> selection() {
    return selection;
  }
}
