package io.guilomo.spark.table;

import java.util.List;

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
        List.of(
            column("seed", BIGINT, Entry::seed),
            column("round", BIGINT, Entry::round),
            column("layer", INT, Entry::layer),
            column("module", STRING, Entry::module),
            column("kind", STRING, Entry::kind),
            column("expert", INT, Entry::expert),
            column("index", INT, Entry::index),
            column("value", DOUBLE, Entry::value),
            column("is_argmax", BOOLEAN, Entry::isArgmax)));
  }
}
