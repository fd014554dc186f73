package io.guilomo.spark.table;

import java.util.Map;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

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
        new StructType()
            .add("prediction", STRING)
            .add("probabilities", DataTypes.createMapType(STRING, DOUBLE))
            .add("generated", STRING));
  }

  @Override
  Object[] values(Prediction row) {
    return new Object[] {row.prediction(), row.probabilities(), row.generated()};
  }
}
