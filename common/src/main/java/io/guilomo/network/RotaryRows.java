package io.guilomo.network;

/** Rows of a {@link RotaryTable} as they are filled on the host. */
final class RotaryRows {

  private final RotaryTable.Shape shape;
  private final float[] cosine;
  private final float[] sine;
  private int filled;

  RotaryRows(RotaryTable.Shape shape, int rows) {
    this.shape = shape;
    this.cosine = new float[Math.multiplyExact(rows, columns())];
    this.sine = new float[cosine.length];
  }

  /** The first rows of others, with room for more. */
  RotaryRows(RotaryRows first, int rows) {
    this(first.shape, rows);
    System.arraycopy(first.cosine, 0, cosine, 0, first.filled);
    System.arraycopy(first.sine, 0, sine, 0, first.filled);
    this.filled = first.filled;
  }

  /**
   * Appends positions from 0.
   *
   * @param length of the sequences whose frequencies they have
   */
  void append(int positions, int length) {
    double[] frequencies = shape.rope().frequencies(shape.rotated(), length);
    double magnitude = shape.rope().magnitude();
    for (int position = 0; position < positions; position++) {
      for (double frequency : frequencies) {
        cosine[filled] = (float) (magnitude * Math.cos(position * frequency));
        sine[filled++] = (float) (magnitude * Math.sin(position * frequency));
      }
    }
  }

  /** Pairs of features. */
  int columns() {
    return shape.rotated() / 2;
  }

  float[] cosine() {
    return cosine;
  }

  float[] sine() {
    return sine;
  }
}
