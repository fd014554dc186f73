package io.guilomo.spark.table;

import org.apache.spark.sql.types.StructType;

/** One row per metric of an evaluation. */
public final class EvaluationsTable extends Table<EvaluationsTable.Evaluation> {
  public static final EvaluationsTable INSTANCE = new EvaluationsTable();

  /**
   * One row.
   *
   * @param split name of the records: {@code test}, …
   * @param metric {@code accuracy}, {@code matthews-correlation}, {@code choices_accuracy}, …
   * @param ciLow lower end of the bootstrap confidence interval
   * @param ciHigh its upper end
   * @param examples number of records
   */
  public record Evaluation(
      long seed,
      String strategy,
      String split,
      String metric,
      double value,
      double ciLow,
      double ciHigh,
      long examples) {}

  private EvaluationsTable() {
    super(
        "evaluations",
        1,
        new StructType()
            .add("seed", BIGINT)
            .add("strategy", STRING)
            .add("split", STRING)
            .add("metric", STRING)
            .add("value", DOUBLE)
            .add("ci_low", DOUBLE)
            .add("ci_high", DOUBLE)
            .add("examples", BIGINT));
  }

  @Override
  Object[] values(Evaluation row) {
    return new Object[] {
      row.seed(),
      row.strategy(),
      row.split(),
      row.metric(),
      row.value(),
      row.ciLow(),
      row.ciHigh(),
      row.examples()
    };
  }
}
