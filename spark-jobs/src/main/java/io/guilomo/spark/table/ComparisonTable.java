package io.guilomo.spark.table;

import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/** One row per strategy and metric of a comparison. */
public final class ComparisonTable extends Table<ComparisonTable.Compared> {
  public static final ComparisonTable INSTANCE = new ComparisonTable();

  /**
   * One row.
   *
   * @param task path of the training records
   * @param seeds number of seeds
   * @param mean over the seeds
   * @param sd sample standard deviation over the seeds; null for a single seed
   * @param difference from the baseline; null for the baseline itself
   * @param parameters trainable parameters, mean over the seeds
   * @param seconds of allocation, fine-tuning and evaluation, mean over the seeds
   */
  public record Compared(
      String task,
      String strategy,
      long seeds,
      String metric,
      double mean,
      Double sd,
      Difference difference,
      double parameters,
      double seconds) {

    /** Reads a row of the table. */
    public static Compared of(Row row) {
      Double difference = row.getAs("diff_to_baseline");
      return new Compared(
          row.getAs("task"),
          row.getAs("strategy"),
          row.getAs("seeds"),
          row.getAs("metric"),
          row.getAs("mean"),
          row.getAs("sd"),
          difference == null
              ? null
              : new Difference(difference, row.getAs("ci_low"), row.getAs("ci_high")),
          row.getAs("parameters"),
          row.getAs("seconds"));
    }
  }

  /**
   * How a strategy differs from the baseline.
   *
   * @param mean over the seeds
   * @param low lower end of the paired confidence interval; null for a single seed
   * @param high its upper end
   */
  public record Difference(double mean, Double low, Double high) {

    /** Whether there is an interval and it does not contain 0. */
    public boolean beyondChance() {
      return low != null && (low > 0 || high < 0);
    }
  }

  private ComparisonTable() {
    super(
        "comparison",
        1,
        new StructType()
            .add("task", STRING)
            .add("strategy", STRING)
            .add("seeds", BIGINT)
            .add("metric", STRING)
            .add("mean", DOUBLE)
            .add("sd", DOUBLE)
            .add("diff_to_baseline", DOUBLE)
            .add("ci_low", DOUBLE)
            .add("ci_high", DOUBLE)
            .add("parameters", DOUBLE)
            .add("seconds", DOUBLE));
  }

  @Override
  Object[] values(Compared row) {
    Difference difference = row.difference();
    return new Object[] {
      row.task(),
      row.strategy(),
      row.seeds(),
      row.metric(),
      row.mean(),
      row.sd(),
      difference == null ? null : difference.mean(),
      difference == null ? null : difference.low(),
      difference == null ? null : difference.high(),
      row.parameters(),
      row.seconds()
    };
  }
}
