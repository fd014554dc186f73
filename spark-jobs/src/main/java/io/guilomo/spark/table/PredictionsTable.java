package io.guilomo.spark.table;

import java.util.Map;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * One row a record that was predicted. The columns of the record stand before the table's own, with
 * the types that they came with.
 */
public final class PredictionsTable extends Table<PredictionsTable.Prediction> {
  public static final PredictionsTable INSTANCE = new PredictionsTable();

  /**
   * The table's own columns of a row.
   *
   * @param prediction class or answer; null where a response has no answer
   * @param probabilities of every class or choice; null of generated text
   * @param generated text; null of classifications
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
