package io.guilomo.metric;

import io.guilomo.uncertainty.Probabilities;
import java.io.Serializable;

/**
 * How a record was answered, to compute metrics from.
 *
 * @param gold class of the correct answer, from 0
 * @param predicted class of the given answer; {@link #UNANSWERED} if there is none
 * @param loss {@code −log p} of the correct answer; {@code NaN} if it was not measured
 * @param confidence probability of the given answer; {@code NaN} if it was not measured
 */
public record Scored(int gold, int predicted, double loss, double confidence)
    implements Serializable {

  /** No class, and therefore always wrong. */
  public static final int UNANSWERED = -1;

  public Scored {
    if (gold < 0 || predicted < UNANSWERED) {
      throw new IllegalArgumentException(
          String.format("Cannot score class %d against class %d", predicted, gold));
    }
  }

  /** An answer whose probability was not measured. */
  public Scored(int gold, int predicted, double loss) {
    this(gold, predicted, loss, Double.NaN);
  }

  /** The most likely class (the first if there are several) and the loss of the correct one. */
  public static Scored of(double[] probabilities, int gold) {
    if (gold < 0 || gold >= probabilities.length) {
      throw new IllegalArgumentException(
          String.format("Cannot score class %d: there are %d classes", gold, probabilities.length));
    }
    int predicted = Probabilities.largest(probabilities);
    return new Scored(gold, predicted, -Math.log(probabilities[gold]), probabilities[predicted]);
  }

  public boolean correct() {
    return gold == predicted;
  }
}
