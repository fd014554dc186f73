package io.guilomo.kernel;

import java.io.Serializable;

/**
 * What rounding has made of values.
 *
 * @param squaredError sum of the squares of the differences
 * @param squaredNorm sum of the squares of the values
 */
public record RoundingError(double squaredError, double squaredNorm) implements Serializable {

  public static final RoundingError NONE = new RoundingError(0, 0);

  public RoundingError plus(RoundingError other) {
    return new RoundingError(squaredError + other.squaredError, squaredNorm + other.squaredNorm);
  }

  /** What came after {@code earlier}, which this includes. */
  public RoundingError minus(RoundingError earlier) {
    return new RoundingError(
        squaredError - earlier.squaredError, squaredNorm - earlier.squaredNorm);
  }

  /** Frobenius norm of the differences over that of the values; 0 if all values are 0. */
  public double relative() {
    return squaredNorm == 0 ? 0 : Math.sqrt(squaredError / squaredNorm);
  }
}
