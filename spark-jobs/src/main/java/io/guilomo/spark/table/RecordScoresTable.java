package io.guilomo.spark.table;

import java.util.List;

/** One row per record of an evaluation and way in which it was asked. */
public final class RecordScoresTable extends Table<RecordScoresTable.RecordScore> {
  public static final RecordScoresTable INSTANCE = new RecordScoresTable();

  /** The records that are scored. */
  public static final String TEST = "test";

  /** Records of {@code evaluate.out-of-domain}. */
  public static final String OUT_OF_DOMAIN = "out-of-domain";

  /** The method of rows that have the loss of a right response, and no answer. */
  public static final String RESPONSE = "response";

  /**
   * One row.
   *
   * @param position of the record in its file, from 1
   * @param method {@code classification}, {@code choices}, {@code generation}, {@link #RESPONSE},
   *     or with {@code evaluate.uncertainty} its value: how all adapters answered together
   * @param correct whether it was answered right; null for {@link #RESPONSE}, and out of the domain
   * @param loss {@code −log p} of what is right; null if it was not measured
   * @param confidence probability of the answer; null if it was not measured
   * @param split {@link #TEST} or {@link #OUT_OF_DOMAIN}
   */
  public record RecordScore(
      long position,
      String method,
      Boolean correct,
      Double loss,
      Double confidence,
      String split) {}

  private RecordScoresTable() {
    super(
        "record_scores",
        1,
        List.of(
            column("position", BIGINT, RecordScore::position),
            column("method", STRING, RecordScore::method),
            column("correct", BOOLEAN, RecordScore::correct),
            column("loss", DOUBLE, RecordScore::loss),
            column("confidence", DOUBLE, RecordScore::confidence),
            column("split", STRING, RecordScore::split)));
  }
}
