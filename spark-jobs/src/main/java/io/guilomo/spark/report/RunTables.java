package io.guilomo.spark.report;

import static org.apache.spark.sql.functions.col;

import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.SqlViews;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The rows of one run. Queries see the tables and the shipped views with nothing but its rows.
 *
 * @param spark has the views, which no other session sees
 */
record RunTables(SparkSession spark, String outputDir, String runId) {

  /** More would be tasks without a row: what a report asks for is small once it is grouped. */
  private static final String PARTITIONS = "4";

  /**
   * @throws IllegalArgumentException if there are no tables in the directory, or if a run cannot
   *     have such a name
   */
  static RunTables open(SparkSession spark, String outputDir, String runId) {
    SparkSession own = spark.newSession();
    own.conf().set("spark.sql.shuffle.partitions", PARTITIONS);
    SqlViews.register(own, outputDir, runId);
    return new RunTables(own, outputDir, runId);
  }

  /** Names of the runs that a comparison consists of: {@code RUN.STRATEGY.SEED}. */
  List<String> trials() {
    return new TableReader(spark, outputDir)
        .read(RunsTable.INSTANCE)
        .select(Table.RUN_ID)
        .filter(col(Table.RUN_ID).startsWith(runId + "."))
        .distinct()
        .orderBy(Table.RUN_ID)
        .as(Encoders.STRING())
        .collectAsList();
  }

  List<Row> rows(String query) {
    return spark.sql(query).collectAsList();
  }

  /**
   * The rows that a query gives.
   *
   * @param values of the names that follow a colon in it
   */
  List<Row> rows(String query, Map<String, Object> values) {
    return spark.sql(query, values).collectAsList();
  }
}
