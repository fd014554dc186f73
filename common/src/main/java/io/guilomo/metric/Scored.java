package io.guilomo.metric;

import java.io.Serializable;

/**
 * How one record was answered: what metrics are computed from.
 *
 * @param gold class of the right answer, from 0
 * @param predicted class of the given answer; {@link #UNANSWERED} where a response gave none
 * @param loss {@code −log p} of the right answer, {@code NaN} where it was not measured
 */
public record Scored(int gold, int predicted, double loss) implements Serializable {

  /** No class: always wrong. */
  public static final int UNANSWERED = -1;

  public Scored {
    if (gold < 0 || predicted < UNANSWERED) {
      throw new IllegalArgumentException(
          String.format("Cannot score class %d against class %d", predicted, gold));
    }
  }

  /** The likeliest class (the first among equals) and the loss of the right one. */
  public static Scored of(double[] probabilities, int gold) {
    if (gold < 0 || gold >= probabilities.length) {
      throw new IllegalArgumentException(
          String.format("Cannot score class %d: there are %d classes", gold, probabilities.length));
    }
    int predicted = 0;
    for (int c = 1; c < probabilities.length; c++) {
      if (probabilities[c] > probabilities[predicted]) {
        predicted = c;
      }
    }
    return new Scored(gold, predicted, -Math.log(probabilities[gold]));
  }

  public boolean correct() {
    return gold == predicted;
  }
}
