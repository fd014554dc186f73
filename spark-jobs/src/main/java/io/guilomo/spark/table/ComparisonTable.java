package io.guilomo.spark.table;

import org.apache.spark.sql.types.StructType;

/** One row a strategy and metric of a comparison on one task. */
public final class ComparisonTable extends Table<ComparisonTable.Compared> {
  public static final ComparisonTable INSTANCE = new ComparisonTable();

  /**
   * One row.
   *
   * @param task what was learned: the path of its training records
   * @param seeds how many
   * @param mean over the seeds
   * @param sd sample standard deviation over the seeds; null of one seed
   * @param diffToBaseline mean over the seeds of the difference to the baseline; null of the
   *     baseline itself
   * @param ciLow lower end of the difference's paired confidence interval; null of one seed
   * @param ciHigh its upper end
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
      Double diffToBaseline,
      Double ciLow,
      Double ciHigh,
      double parameters,
      double seconds) {}

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
    return new Object[] {
      row.task(),
      row.strategy(),
      row.seeds(),
      row.metric(),
      row.mean(),
      row.sd(),
      row.diffToBaseline(),
      row.ciLow(),
      row.ciHigh(),
      row.parameters(),
      row.seconds()
    };
  }
}
