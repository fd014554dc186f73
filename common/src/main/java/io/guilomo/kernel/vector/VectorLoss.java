package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;
import static io.guilomo.kernel.vector.VectorMemory.SPECIES;

import java.util.concurrent.atomic.AtomicLong;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Cross-entropy, row by row. */
class VectorLoss {
  /** Columns whose exponentials are summed in 32 bits; their sums are added in 64. */
  private static final int COLUMNS_OF_SUM = 1024;

  private VectorLoss() {}

  /** Returns the sum of the losses. */
  static double crossEntropy(
      VectorMemory logits, int[] labels, float scale, boolean gradient, VectorMemory losses) {
    VectorRows.forRows(
        logits,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            float largest = largest(logits, row);
            float labelled = logits.get(logits.at(row, labels[row]));
            double sum =
                gradient
                    ? toExponentials(logits, row, largest)
                    : exponentials(logits, row, largest);
            losses.put(4 * row, (float) (Math.log(sum) + largest - labelled));
            if (gradient) {
              scale(logits, row, (float) (scale / sum));
              int at = logits.at(row, labels[row]);
              logits.put(at, logits.get(at) - scale);
            }
          }
        });
    double total = 0;
    for (int row = 0; row < labels.length; row++) {
      total += losses.get(4 * row);
    }
    return total;
  }

  /** Rows whose largest logit, the lowest index first among equals, is at their label. */
  static long hits(VectorMemory logits, int[] labels) {
    AtomicLong hits = new AtomicLong();
    VectorRows.forRows(
        logits,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            if (isLargest(logits, row, labels[row])) {
              hits.incrementAndGet();
            }
          }
        });
    return hits.get();
  }

  /** No earlier element is as large and no later one is larger; never true of NaN. */
  private static boolean isLargest(VectorMemory x, int row, int column) {
    float candidate = x.get(x.at(row, column));
    int c = 0;
    for (; c < column; c++) {
      if (x.get(x.at(row, c)) >= candidate) {
        return false;
      }
    }
    for (; c < x.columns; c++) {
      if (x.get(x.at(row, c)) > candidate) {
        return false;
      }
    }
    return !Float.isNaN(candidate);
  }

  private static float largest(VectorMemory x, int row) {
    int at = x.at(row, 0);
    float largest = x.get(at);
    int c = 0;
    if (x.columns >= 2 * LANES) {
      FloatVector even = x.load(at);
      FloatVector odd = x.load(at + 4 * LANES);
      for (; c <= x.columns - 2 * LANES; c += 2 * LANES) {
        even = x.load(at + 4 * c).max(even);
        odd = x.load(at + 4 * (c + LANES)).max(odd);
      }
      largest = even.max(odd).reduceLanes(VectorOperators.MAX);
    }
    for (; c < x.columns; c++) {
      largest = Math.max(largest, x.get(at + 4 * c));
    }
    return largest;
  }

  private static double exponentials(VectorMemory x, int row, float largest) {
    double total = 0;
    int c = 0;
    while (c < x.bound()) {
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int end = Math.min(x.bound(), c + COLUMNS_OF_SUM); c < end; c += LANES) {
        sum = VectorMath.exp(x.load(x.at(row, c)).sub(largest)).add(sum);
      }
      total += sum.reduceLanes(VectorOperators.ADD);
    }
    for (; c < x.columns; c++) {
      total += (float) Math.exp(x.get(x.at(row, c)) - largest);
    }
    return total;
  }

  /** As above, and leaves the exponentials in the row. */
  private static double toExponentials(VectorMemory x, int row, float largest) {
    double total = 0;
    int c = 0;
    while (c < x.bound()) {
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int end = Math.min(x.bound(), c + COLUMNS_OF_SUM); c < end; c += LANES) {
        FloatVector value = VectorMath.exp(x.load(x.at(row, c)).sub(largest));
        x.store(x.at(row, c), value);
        sum = value.add(sum);
      }
      total += sum.reduceLanes(VectorOperators.ADD);
    }
    for (; c < x.columns; c++) {
      float value = (float) Math.exp(x.get(x.at(row, c)) - largest);
      x.put(x.at(row, c), value);
      total += value;
    }
    return total;
  }

  private static void scale(VectorMemory x, int row, float factor) {
    int c = 0;
    for (; c < x.bound(); c += LANES) {
      x.store(x.at(row, c), x.load(x.at(row, c)).mul(factor));
    }
    for (; c < x.columns; c++) {
      x.put(x.at(row, c), x.get(x.at(row, c)) * factor);
    }
  }
}
