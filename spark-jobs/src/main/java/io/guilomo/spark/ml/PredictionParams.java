package io.guilomo.spark.ml;

import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;

/**
 * The columns that a classifier adds.
 *
 * @param <S> what the setters return
 */
public interface PredictionParams<S> extends ScoringParams<S> {

  /** The parameters of an object. */
  final class Declared {
    private final Param<String> predictionCol;
    private final Param<String> probabilityCol;

    Declared(Params owner) {
      predictionCol =
          new Param<>(
              owner,
              "predictionCol",
              "column of the predicted class, a double whose metadata names the classes; empty:"
                  + " none");
      probabilityCol =
          new Param<>(
              owner,
              "probabilityCol",
              "column of the vector of the classes' probabilities; empty: none");
    }
  }

  /** The parameters that this object has been given when it was made. */
  Declared predicted();

  default Param<String> predictionCol() {
    return predicted().predictionCol;
  }

  default Param<String> probabilityCol() {
    return predicted().probabilityCol;
  }

  default S setPredictionCol(String value) {
    return with(predictionCol(), value);
  }

  default S setProbabilityCol(String value) {
    return with(probabilityCol(), value);
  }
}
