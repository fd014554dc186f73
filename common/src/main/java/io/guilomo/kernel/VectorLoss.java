package io.guilomo.kernel;

import static io.guilomo.kernel.FloatMemory.LANES;
import static io.guilomo.kernel.FloatMemory.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Cross-entropy, one row at a time. */
class VectorLoss {
  /** Columns whose exponentials are summed in 32 bits; their sums are added in 64. */
  private static final int COLUMNS_OF_SUM = 1024;

  private VectorLoss() {}

  static double crossEntropy(FloatMemory logits, int[] labels, float scale, boolean gradient, float[] losses) {
    VectorRows.forRows(
        logits,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            float largest = largest(logits, row);
            float labelled = logits.get(logits.at(row, labels[row]));
            double sum = exponentials(logits, row, largest, gradient);
            losses[row] = (float) (Math.log(sum) + largest - labelled);
            if (gradient) {
              scale(logits, row, (float) (scale / sum));
              int at = logits.at(row, labels[row]);
              logits.put(at, logits.get(at) - scale);
            }
          }
        });
    double total = 0;
    for (float loss : losses) {
      total += loss;
    }
    return total;
  }

  private static float largest(FloatMemory x, int row) {
    float largest = x.get(x.at(row, 0));
    int c = 0;
    if (x.bound() > 0) {
      FloatVector maxima = x.load(x.at(row, 0));
      for (; c < x.bound(); c += LANES) {
        maxima = maxima.max(x.load(x.at(row, c)));
      }
      largest = maxima.reduceLanes(VectorOperators.MAX);
    }
    for (; c < x.columns; c++) {
      largest = Math.max(largest, x.get(x.at(row, c)));
    }
    return largest;
  }

  private static double exponentials(FloatMemory x, int row, float largest, boolean keep) {
    double total = 0;
    int c = 0;
    while (c < x.bound()) {
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int end = Math.min(x.bound(), c + COLUMNS_OF_SUM); c < end; c += LANES) {
        FloatVector value = VectorMath.exp(x.load(x.at(row, c)).sub(largest));
        sum = sum.add(value);
        if (keep) {
          x.store(x.at(row, c), value);
        }
      }
      total += sum.reduceLanes(VectorOperators.ADD);
    }
    for (; c < x.columns; c++) {
      float value = (float) Math.exp(x.get(x.at(row, c)) - largest);
      total += value;
      if (keep) {
        x.put(x.at(row, c), value);
      }
    }
    return total;
  }

  private static void scale(FloatMemory x, int row, float factor) {
    int c = 0;
    for (; c < x.bound(); c += LANES) {
      x.store(x.at(row, c), x.load(x.at(row, c)).mul(factor));
    }
    for (; c < x.columns; c++) {
      x.put(x.at(row, c), x.get(x.at(row, c)) * factor);
    }
  }
}
