package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;
import static io.guilomo.kernel.vector.VectorMemory.SPECIES;

import io.guilomo.kernel.KernelThreads;
import jdk.incubator.vector.FloatVector;

/** Moves and sums rows. */
class VectorRows {
  private static final int ELEMENTS_OF_RANGE = 16384;
  private static final int ROWS_OF_SUM = 32;

  private VectorRows() {}

  /** Rows per range of work, a function of the width of the rows alone. */
  static int rowsOfRange(int columns) {
    return Math.max(1, ELEMENTS_OF_RANGE / columns);
  }

  static void forRows(VectorMemory matrix, KernelThreads.Range body) {
    KernelThreads.run(matrix.rows, rowsOfRange(matrix.columns), body);
  }

  static void gather(VectorMemory table, int[] rows, VectorMemory result, boolean accumulate) {
    forRows(
        result,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            VectorMemory row = table.row(rows[i]);
            if (accumulate) {
              add(row, 0, result, i);
            } else {
              copy(row, 0, result, i);
            }
          }
        });
  }

  static void gather(Widened table, int[] rows, VectorMemory result, boolean accumulate) {
    forRows(
        result,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            table.widen(rows[i], 0, result.row(i), accumulate);
          }
        });
  }

  static void scatterAdd(VectorMemory source, int[] rows, VectorMemory result) {
    forRows(
        source,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            add(source, i, result, rows[i]);
          }
        });
  }

  static void scatter(VectorMemory source, int[] rows, VectorMemory result) {
    forRows(
        source,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            copy(source, i, result.row(rows[i]), 0);
          }
        });
  }

  static void copy(VectorMemory source, VectorMemory target) {
    forRows(
        target,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            copy(source, i, target, i);
          }
        });
  }

  private static void copy(VectorMemory source, int sourceRow, VectorMemory target, int targetRow) {
    target.buffer.put(
        target.at(targetRow, 0),
        source.buffer,
        source.at(sourceRow, 0),
        target.columns * Float.BYTES);
  }

  private static void add(VectorMemory source, int sourceRow, VectorMemory target, int targetRow) {
    int in = source.at(sourceRow, 0);
    int out = target.at(targetRow, 0);
    int c = 0;
    for (; c < target.bound(); c += LANES) {
      target.store(out + 4 * c, target.load(out + 4 * c).add(source.load(in + 4 * c)));
    }
    for (; c < target.columns; c++) {
      target.put(out + 4 * c, target.get(out + 4 * c) + source.get(in + 4 * c));
    }
  }

  static void addBias(VectorMemory y, VectorMemory bias) {
    forRows(
        y,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            add(bias, 0, y, i);
          }
        });
  }

  static void meanPool(VectorMemory x, int[] starts, VectorMemory result) {
    KernelThreads.run(
        result.rows,
        Math.max(1, rowsOfRange(result.columns) * result.rows / x.rows),
        (from, to) -> {
          for (int s = from; s < to; s++) {
            int n = starts[s + 1] - starts[s];
            int c = 0;
            for (; c < result.bound(); c += LANES) {
              result.store(result.at(s, c), sum(x, starts[s], starts[s + 1], c).div(n));
            }
            for (; c < result.columns; c++) {
              result.put(result.at(s, c), (float) (scalarSum(x, starts[s], starts[s + 1], c) / n));
            }
          }
        });
  }

  static void meanPoolBackward(VectorMemory gradient, int[] starts, VectorMemory result) {
    KernelThreads.run(
        gradient.rows,
        1,
        (from, to) -> {
          int n = starts[from + 1] - starts[from];
          for (int t = starts[from]; t < starts[from + 1]; t++) {
            int c = 0;
            for (; c < result.bound(); c += LANES) {
              result.store(result.at(t, c), gradient.load(gradient.at(from, c)).div(n));
            }
            for (; c < result.columns; c++) {
              result.put(result.at(t, c), gradient.get(gradient.at(from, c)) / n);
            }
          }
        });
  }

  static void columnSums(VectorMemory x, VectorMemory result) {
    KernelThreads.run(
        x.columns,
        Math.max(LANES, ELEMENTS_OF_RANGE / x.rows / LANES * LANES),
        (from, to) -> {
          int c = from;
          for (; c < Math.min(to, x.bound()); c += LANES) {
            result.store(4 * c, sum(x, 0, x.rows, c));
          }
          for (; c < to; c++) {
            result.put(4 * c, (float) scalarSum(x, 0, x.rows, c));
          }
        });
  }

  /** Sums rows in short runs and then adds those sums, to lose fewer digits. */
  private static FloatVector sum(VectorMemory x, int from, int to, int column) {
    FloatVector total = FloatVector.zero(SPECIES);
    for (int start = from; start < to; start += ROWS_OF_SUM) {
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int row = start; row < Math.min(to, start + ROWS_OF_SUM); row++) {
        sum = x.load(x.at(row, column)).add(sum);
      }
      total = total.add(sum);
    }
    return total;
  }

  private static double scalarSum(VectorMemory x, int from, int to, int column) {
    double sum = 0;
    for (int row = from; row < to; row++) {
      sum += x.get(x.at(row, column));
    }
    return sum;
  }
}
