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

/** The tables of an output directory and the views over them, as temporary views of a session. */
public final class SqlViews {

  /** Names of the views, each the query in the file of its name in {@code deploy/sql}. */
  public static final List<String> NAMES =
      List.of(
          "experts_per_layer",
          "rank_distribution",
          "parameters_saved",
          "learning_curves",
          "expert_load",
          "run_comparison",
          "plan_agreement");

  private SqlViews() {}

  /**
   * Opens every table, empty where nothing was written, and every view.
   *
   * @throws UserException if there are no tables in the directory
   */
  public static void register(SparkSession spark, String outputDir) {
    TableReader reader = new TableReader(spark, outputDir);
    reader.requireTables();
    for (Table<?> table : Tables.all()) {
      reader.readAll(table).createOrReplaceTempView(table.name());
    }
    for (String name : NAMES) {
      spark.sql("CREATE OR REPLACE TEMPORARY VIEW " + name + " AS\n" + query(name));
    }
  }

  /**
   * The rows that a query gives.
   *
   * @throws UserException if it cannot be understood
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
