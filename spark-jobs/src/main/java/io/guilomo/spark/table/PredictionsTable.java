package io.guilomo.spark.table;

import java.util.List;
import java.util.Map;
import org.apache.spark.sql.types.DataTypes;

/**
 * One row per predicted record. The columns of the record, with their original types, precede the
 * table's own.
 */
public final class PredictionsTable extends Table<PredictionsTable.Prediction> {
  public static final PredictionsTable INSTANCE = new PredictionsTable();

  /**
   * The table's own columns.
   *
   * @param prediction class or answer; null if the response contains no answer
   * @param probabilities of every class or choice; null for generated text
   * @param generated generated text; null for classifications
   */
  public record Prediction(
      String prediction, Map<String, Double> probabilities, String generated) {}

  private PredictionsTable() {
    super(
        "predictions",
        1,
        List.of(
            column("prediction", STRING, Prediction::prediction),
            column(
                "probabilities",
                DataTypes.createMapType(STRING, DOUBLE),
                Prediction::probabilities),
            column("generated", STRING, Prediction::generated)));
  }
}
