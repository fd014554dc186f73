package io.guilomo.spark.table;

import java.util.List;
import java.util.function.Function;
import org.apache.spark.sql.Row;

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
        List.of(
            column("task", STRING, Compared::task),
            column("strategy", STRING, Compared::strategy),
            column("seeds", BIGINT, Compared::seeds),
            column("metric", STRING, Compared::metric),
            column("mean", DOUBLE, Compared::mean),
            column("sd", DOUBLE, Compared::sd),
            column("diff_to_baseline", DOUBLE, ofDifference(Difference::mean)),
            column("ci_low", DOUBLE, ofDifference(Difference::low)),
            column("ci_high", DOUBLE, ofDifference(Difference::high)),
            column("parameters", DOUBLE, Compared::parameters),
            column("seconds", DOUBLE, Compared::seconds)));
  }

  /** Null for the baseline. */
  private static <V> Function<Compared, Object> ofDifference(Function<Difference, V> value) {
    return row -> row.difference() == null ? null : value.apply(row.difference());
  }
}
