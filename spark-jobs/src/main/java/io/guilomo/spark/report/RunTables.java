package io.guilomo.spark.report;

import io.guilomo.spark.table.SqlViews;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The rows of one run. Queries see the tables and the shipped views with nothing but its rows.
 *
 * @param spark has the views, which no other session sees
 */
record RunTables(SparkSession spark, String runId) {

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
    return new RunTables(own, runId);
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
