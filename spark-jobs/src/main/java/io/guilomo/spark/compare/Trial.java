package io.guilomo.spark.compare;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.sum;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.PlanModulesTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.TableReader;
import java.sql.Timestamp;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * One run of one strategy in a comparison.
 *
 * @param metrics that its evaluation found
 * @param parameters of its plan
 * @param seconds of its jobs
 */
record Trial(
    String strategy, long seed, Map<String, Double> metrics, long parameters, double seconds) {

  /** What the tables have of a run. */
  record Records(TableReader reader, GuilomoConfig config) {

    Records(SparkSession spark, GuilomoConfig config) {
      this(new TableReader(spark, config.output().dir()), config);
    }

    /** Whether a job of the run has succeeded with exactly this configuration. */
    boolean finished(String job) {
      return !reader
          .read(RunsTable.INSTANCE, config.run().id())
          .filter(
              col("job")
                  .equalTo(job)
                  .and(col("status").equalTo("SUCCEEDED"))
                  .and(col("config_json").equalTo(config.asJson())))
          .isEmpty();
    }

    Trial trial(String strategy, long seed) {
      Map<String, Double> metrics = new TreeMap<>();
      for (Row row : reader.read(EvaluationsTable.INSTANCE, config.run().id()).collectAsList()) {
        metrics.put(row.getAs("metric"), row.getAs("value"));
      }
      long parameters =
          reader
              .read(PlanModulesTable.INSTANCE, config.run().id())
              .agg(sum("parameters"))
              .first()
              .getLong(0);
      double seconds = 0;
      for (Row row : reader.read(RunsTable.INSTANCE, config.run().id()).collectAsList()) {
        Timestamp from = row.getAs("started_at");
        Timestamp to = row.getAs("finished_at");
        seconds += (to.getTime() - from.getTime()) / 1e3;
      }
      return new Trial(strategy, seed, metrics, parameters, seconds);
    }
  }
}
