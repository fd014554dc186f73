package io.guilomo.spark.report;

import static org.apache.spark.sql.functions.col;

import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.model.UserException;
import io.guilomo.spark.session.InterpretedSession;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.sql.Timestamp;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The rows of one run. Tables of measurements, which grow with the number of steps, are queried;
 * the others, which are no larger than the model's list of modules, are read once each.
 */
final class RunTables {

  /** Enough: the grouped results that a report needs are small. */
  private static final String PARTITIONS = "4";

  private static final List<Table<?>> MEASUREMENTS =
      List.of(GsvHistoryTable.INSTANCE, MetricsTable.INSTANCE);

  /**
   * Bytes of measurements up to which one task reads them faster than Spark distributes a query.
   */
  static final long FEW = 16L << 20;

  private final TableReader reader;
  private final String runId;
  private final Map<Table<?>, List<Row>> read = new HashMap<>();
  private final Map<Table<?>, Dataset<Row>> measured = new HashMap<>();
  private final Optional<SelectionHistory> selection;

  /**
   * @param few bytes of measurements up to which a single task reads them: {@link #FEW}
   * @throws UserException if the directory has no tables, or the run id is not valid
   */
  RunTables(SparkSession session, String outputDir, String runId, long few) {
    SparkSession spark = session.newSession();
    spark.conf().set("spark.sql.shuffle.partitions", PARTITIONS);
    this.reader = new TableReader(spark, outputDir);
    this.runId = runId;
    reader.requireTables();
    for (Table<?> table : MEASUREMENTS) {
      measured.put(table, reader.read(table, runId));
    }
    boolean small =
        measured.values().stream()
            .allMatch(
                rows ->
                    rows.queryExecution().optimizedPlan().stats().sizeInBytes().longValue() <= few);
    if (small) {
      spark.conf().set("spark.sql.adaptive.enabled", "false");
      InterpretedSession.interpret(spark);
      measured.replaceAll((table, rows) -> rows.coalesce(1));
    }
    selection =
        SelectionHistory.of(
            measured(GsvHistoryTable.INSTANCE),
            any("search.estimator", Estimator.EXPECTED.toString()::equals),
            any("search.start-plan", plan -> !plan.isBlank()));
  }

  /** Whether a setting is such in any job of the run; releases differ in what they have. */
  boolean any(String setting, Predicate<String> such) {
    return jobs().stream()
        .map(job -> SettingsSection.recorded(job.getAs("config_json")).get(setting))
        .filter(Objects::nonNull)
        .anyMatch(such);
  }

  /** Ids of the runs of a comparison that end with a report: searches and evaluations. */
  List<String> trials() {
    return reader
        .read(RunsTable.INSTANCE, run -> run.startsWith(runId + "."))
        .filter(col("job").isin(JobRun.ALLOCATE, JobRun.EVALUATE))
        .select(Table.RUN_ID)
        .distinct()
        .orderBy(Table.RUN_ID)
        .as(Encoders.STRING())
        .collectAsList();
  }

  /** All rows of a table that does not hold measurements. */
  List<Row> rows(Table<?> table) {
    return read.computeIfAbsent(table, key -> reader.read(key, runId).coalesce(1).collectAsList());
  }

  /** The jobs of the run, in the order in which they started. */
  List<Row> jobs() {
    return rows(RunsTable.INSTANCE).stream()
        .sorted(Comparator.comparing(row -> row.<Timestamp>getAs("started_at")))
        .toList();
  }

  /** The rows of a table of measurements, to query. */
  Dataset<Row> measured(Table<?> table) {
    return measured.get(table);
  }

  /** What the searches of the run chose, if there are any. */
  Optional<SelectionHistory> selection() {
    return selection;
  }
}
