package io.guilomo.spark.table;

import io.guilomo.model.UserException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** Opens the tables of an output directory, and views of them, as temporary views of a session. */
public final class SqlViews {

  /** Every table of an output directory. */
  public static final List<Table<?>> TABLES =
      List.of(
          RunsTable.INSTANCE,
          PlanModulesTable.INSTANCE,
          PlanExpertsTable.INSTANCE,
          GsvHistoryTable.INSTANCE,
          MetricsTable.INSTANCE,
          EvaluationsTable.INSTANCE,
          RecordScoresTable.INSTANCE,
          PredictionsTable.INSTANCE,
          ComparisonTable.INSTANCE);

  /** Names of the views; {@code deploy/sql/NAME.sql} has the query of each. */
  public static final List<String> VIEWS =
      List.of(
          "experts_per_layer",
          "rank_distribution",
          "parameters_saved",
          "learning_curves",
          "expert_load",
          "run_comparison",
          "quality_over_parameters",
          "plan_agreement");

  private SqlViews() {}

  /**
   * Opens every table, empty if nothing was written to it, and every view.
   *
   * @throws UserException if the directory has no tables
   */
  public static void register(SparkSession spark, String outputDir) {
    TableReader reader = new TableReader(spark, outputDir);
    reader.requireTables();
    for (Table<?> table : TABLES) {
      reader.readAll(table).createOrReplaceTempView(table.name());
    }
    for (String name : VIEWS) {
      spark.sql("CREATE OR REPLACE TEMPORARY VIEW " + name + " AS\n" + query(name));
    }
  }

  /**
   * The result of a query.
   *
   * @throws UserException if the query is not valid
   */
  public static Dataset<Row> query(SparkSession spark, String sql) {
    try {
      return spark.sql(sql);
    } catch (Exception e) { // Spark throws checked exceptions that its methods do not declare.
      if (e instanceof AnalysisException analysis) {
        String reason =
            analysis
                .getSimpleMessage()
                .lines()
                .filter(line -> !line.isBlank())
                .findFirst()
                .orElse("");
        throw new UserException("Cannot run the query: " + reason, e);
      }
      throw e;
    }
  }

  static String query(String name) {
    try (InputStream in = SqlViews.class.getResourceAsStream("/sql/" + name + ".sql")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
