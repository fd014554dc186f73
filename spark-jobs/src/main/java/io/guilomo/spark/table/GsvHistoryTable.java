package io.guilomo.spark.table;

import org.apache.spark.sql.types.StructType;

/** One row per entry of a GuidedSelection Vector (GSV) after each averaging round. */
public final class GsvHistoryTable extends Table<GsvHistoryTable.Entry> {
  public static final GsvHistoryTable INSTANCE = new GsvHistoryTable();

  /** Kind of expert vectors. */
  public static final String EXPERTS = "experts";

  /** Kind of rank vectors. */
  public static final String RANK = "rank";

  /**
   * One row.
   *
   * @param kind {@code experts} or {@code rank}
   * @param expert expert of the rank vector; null in the expert vector
   * @param index from 0
   * @param isArgmax whether it is the first of the largest entries of its vector
   */
  public record Entry(
      long seed,
      long round,
      int layer,
      String module,
      String kind,
      Integer expert,
      int index,
      double value,
      boolean isArgmax) {}

  private GsvHistoryTable() {
    super(
        "gsv_history",
        1,
        new StructType()
            .add("seed", BIGINT)
            .add("round", BIGINT)
            .add("layer", INT)
            .add("module", STRING)
            .add("kind", STRING)
            .add("expert", INT)
            .add("index", INT)
            .add("value", DOUBLE)
            .add("is_argmax", BOOLEAN));
  }

  @Override
  Object[] values(Entry row) {
    return new Object[] {
      row.seed(),
      row.round(),
      row.layer(),
      row.module(),
      row.kind(),
      row.expert(),
      row.index(),
      row.value(),
      row.isArgmax()
    };
  }
}
