package io.guilomo.spark.table;

import java.util.List;

/** One row per record of an evaluation and way in which it was asked. */
public final class RecordScoresTable extends Table<RecordScoresTable.RecordScore> {
  public static final RecordScoresTable INSTANCE = new RecordScoresTable();

  /** The method of rows that have the loss of a right response, and no answer. */
  public static final String RESPONSE = "response";

  /**
   * One row.
   *
   * @param position of the record in its file, from 1
   * @param method {@code classification}, {@code choices}, {@code generation} or {@link #RESPONSE}
   * @param correct whether it was answered right; null for {@link #RESPONSE}
   * @param loss {@code −log p} of what is right; null if it was not measured
   */
  public record RecordScore(long position, String method, Boolean correct, Double loss) {}

  private RecordScoresTable() {
    super(
        "record_scores",
        1,
        List.of(
            column("position", BIGINT, RecordScore::position),
            column("method", STRING, RecordScore::method),
            column("correct", BOOLEAN, RecordScore::correct),
            column("loss", DOUBLE, RecordScore::loss)));
  }
}
