package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;
import static io.guilomo.kernel.vector.VectorMemory.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Softmax of rows of attention scores. Rows are padded to whole vectors. */
class VectorSoftmax {
  private static final FloatVector INDEX = (FloatVector) SPECIES.broadcast(0).addIndex(1);

  private static final FloatVector UNSEEN = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);

  private VectorSoftmax() {}

  /**
   * Overwrites a row with its exponentials, less the largest score that may be seen.
   *
   * @param low first column that may be seen; 0 is written before it
   * @param high one more than the last column that may be seen; 0 is written from it on, into the
   *     padding too
   * @return their sum
   */
  static float exponentials(VectorMemory scores, int row, int low, int high, int columns) {
    int at = scores.at(row, 0);
    float largest = largest(scores, at, low, high, columns);
    FloatVector sums = FloatVector.zero(SPECIES);
    for (int c = 0; c < columns; c += LANES) {
      FloatVector exponential = VectorMath.exp(scores.load(at + 4 * c).sub(largest));
      scores.store(at + 4 * c, exponential);
      sums = exponential.add(sums);
    }
    return sums.reduceLanes(VectorOperators.ADD);
  }

  /** Also sets what may not be seen, and the padding, to −∞. */
  private static float largest(VectorMemory scores, int at, int low, int high, int columns) {
    FloatVector maxima = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
    for (int c = 0; c < columns; c += LANES) {
      if (c < low || c + LANES > high) {
        FloatVector score =
            scores.load(at + 4 * c).blend(UNSEEN, INDEX.compare(VectorOperators.LT, low - c));
        scores.store(at + 4 * c, score.blend(UNSEEN, INDEX.compare(VectorOperators.GE, high - c)));
      }
      maxima = scores.load(at + 4 * c).max(maxima);
    }
    return maxima.reduceLanes(VectorOperators.MAX);
  }
}
