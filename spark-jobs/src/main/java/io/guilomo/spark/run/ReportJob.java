package io.guilomo.spark.run;

import io.guilomo.model.UserException;
import io.guilomo.spark.report.RunReport;
import io.guilomo.spark.table.RunLayout;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Writes {@code report.html} into the directory of a run, from what its tables contain so far.
 *
 * @param outputDir {@code output.dir} of the run
 */
public record ReportJob(SparkSession spark, String outputDir) {

  /**
   * Reports on the run that was recorded last.
   *
   * @return where the report is
   * @throws UserException if there is no run
   */
  public String run() throws IOException {
    List<Row> newest =
        new TableReader(spark, outputDir)
            .read(RunsTable.INSTANCE)
            .selectExpr("run_id", "coalesce(finished_at, started_at) AS at")
            .selectExpr("max_by(run_id, at)")
            .collectAsList();
    if (newest.get(0).isNullAt(0)) {
      throw new UserException("Cannot report on a run: %s/tables/runs has none", outputDir);
    }
    return run(newest.get(0).getString(0));
  }

  /** Where the report of a run is, or will be. */
  public String path(String runId) throws IOException {
    return directory(runId).path(RunLayout.REPORT).toString();
  }

  /**
   * Reports on a run.
   *
   * @return where the report is
   * @throws UserException if there is no such run
   */
  public String run(String runId) throws IOException {
    String html = RunReport.html(spark, outputDir, runId);
    directory(runId).write(RunLayout.REPORT, html);
    return path(runId);
  }

  private RunDirectory directory(String runId) throws IOException {
    return new RunDirectory(outputDir, runId, spark.sparkContext().hadoopConfiguration());
  }
}
