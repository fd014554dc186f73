package io.guilomo.spark.table;

import java.util.List;
import org.apache.spark.sql.types.DataTypes;

/**
 * One row per predicted record. The columns of the record, with their original types, precede the
 * table's own: the class or answer, null if the response contains none; the probabilities of every
 * class or choice, null for generated text; and the generated text, null for classifications.
 */
public final class PredictionsTable extends Table<Void> {
  public static final PredictionsTable INSTANCE = new PredictionsTable();

  private PredictionsTable() {
    super(
        "predictions",
        1,
        List.of(
            column("prediction", STRING),
            column("probabilities", DataTypes.createMapType(STRING, DOUBLE)),
            column("generated", STRING)));
  }
}
