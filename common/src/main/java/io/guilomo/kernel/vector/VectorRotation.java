package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;

import jdk.incubator.vector.FloatVector;

/** Rotary position embedding in place. */
class VectorRotation {

  private VectorRotation() {}

  static void rotate(
      VectorMemory x,
      int[] positions,
      int heads,
      VectorMemory cosine,
      VectorMemory sine,
      boolean backward) {
    int headDim = x.columns / heads;
    VectorRows.forRows(
        x,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            int angles = cosine.at(positions[row], 0);
            int sines = sine.at(positions[row], 0);
            for (int head = 0; head < heads; head++) {
              rotate(x, x.at(row, head * headDim), cosine, angles, sine, sines, backward ? -1 : 1);
            }
          }
        });
  }

  private static void rotate(
      VectorMemory x,
      int at,
      VectorMemory cosine,
      int angles,
      VectorMemory sine,
      int sines,
      float direction) {
    int half = 4 * cosine.columns;
    int i = 0;
    for (; i < 4 * cosine.bound(); i += 4 * LANES) {
      FloatVector first = x.load(at + i);
      FloatVector second = x.load(at + half + i);
      FloatVector cos = cosine.load(angles + i);
      FloatVector sin = sine.load(sines + i).mul(direction);
      x.store(at + i, first.mul(cos).sub(second.mul(sin)));
      x.store(at + half + i, first.mul(sin).add(second.mul(cos)));
    }
    for (; i < half; i += 4) {
      float first = x.get(at + i);
      float second = x.get(at + half + i);
      float cos = cosine.get(angles + i);
      float sin = sine.get(sines + i) * direction;
      x.put(at + i, first * cos - second * sin);
      x.put(at + half + i, first * sin + second * cos);
    }
  }
}
