package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMath.ONE;
import static io.guilomo.kernel.vector.VectorMemory.LANES;

import jdk.incubator.vector.FloatVector;

/** {@code cap · tanh(x / cap)} in place, and its backward pass. */
final class VectorSoftcap {

  private VectorSoftcap() {}

  static void cap(VectorMemory x, float cap) {
    VectorRows.forRows(
        x,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            cap(x, row, cap);
          }
        });
  }

  static void cap(VectorMemory x, int row, float cap) {
    float inverse = 1 / cap;
    int at = x.at(row, 0);
    int c = 0;
    for (; c < x.bound(); c += LANES) {
      x.store(at + 4 * c, VectorMath.tanh(x.load(at + 4 * c).mul(inverse)).mul(cap));
    }
    for (; c < x.columns; c++) {
      x.put(at + 4 * c, (float) Math.tanh(x.get(at + 4 * c) * inverse) * cap);
    }
  }

  static void backward(VectorMemory dy, VectorMemory y, float cap) {
    VectorRows.forRows(
        dy,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            backward(dy, row, y, row, cap);
          }
        });
  }

  /** {@code dy ⊙= 1 − (y / cap)²}, of a row of each. */
  static void backward(VectorMemory dy, int row, VectorMemory y, int rowOfY, float cap) {
    float inverse = 1 / cap;
    int at = dy.at(row, 0);
    int in = y.at(rowOfY, 0);
    int c = 0;
    for (; c < dy.bound(); c += LANES) {
      FloatVector tanh = y.load(in + 4 * c).mul(inverse);
      dy.store(at + 4 * c, dy.load(at + 4 * c).mul(ONE.sub(tanh.mul(tanh))));
    }
    for (; c < dy.columns; c++) {
      float tanh = y.get(in + 4 * c) * inverse;
      dy.put(at + 4 * c, dy.get(at + 4 * c) * (1 - tanh * tanh));
    }
  }
}
