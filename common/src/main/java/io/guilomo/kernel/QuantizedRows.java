package io.guilomo.kernel;

/**
 * Rounds the rows of a matrix to 8 bits, one after the other: the element of a row that is largest
 * in magnitude becomes ±127, and what that divides by is the row's scale. The scheme is symmetric,
 * so zero stays zero.
 */
public final class QuantizedRows {

  /** Largest magnitude of an element; −128 is not used. */
  private static final int LARGEST = 127;

  private final Target target;
  private final float[] row;
  private final byte[] elements;
  private RoundingError error = RoundingError.NONE;
  private long filled;

  /** Takes the rows. */
  @FunctionalInterface
  public interface Target {

    /**
     * @param elements of the row; reused for the next
     * @param scale what they are multiplied by
     */
    void put(long row, byte[] elements, float scale);
  }

  public QuantizedRows(int columns, Target target) {
    this.target = target;
    this.row = new float[columns];
    this.elements = new byte[columns];
  }

  /** What rounding has lost of the rows so far. */
  public RoundingError error() {
    return error;
  }

  /** Number of elements so far. */
  long filled() {
    return filled;
  }

  /**
   * The next elements in row-major order. A row is rounded when its last one is known.
   *
   * @param count how many of {@code values}
   * @throws IllegalArgumentException if one is infinite or NaN
   */
  public void put(float[] values, int count) {
    for (int done = 0; done < count; ) {
      int column = (int) (filled % row.length);
      int length = Math.min(row.length - column, count - done);
      System.arraycopy(values, done, row, column, length);
      filled += length;
      done += length;
      if (column + length == row.length) {
        round();
      }
    }
  }

  private void round() {
    float scale = largest() / LARGEST;
    double squaredError = 0;
    double squaredNorm = 0;
    for (int i = 0; i < row.length; i++) {
      double value = row[i];
      double nearest = scale == 0 ? 0 : Math.rint(value / scale);
      elements[i] = (byte) Math.max(-LARGEST, Math.min(LARGEST, nearest));
      double difference = value - elements[i] * scale;
      squaredError += difference * difference;
      squaredNorm += value * value;
    }
    error = error.plus(new RoundingError(squaredError, squaredNorm));
    target.put(filled / row.length - 1, elements, scale);
  }

  private float largest() {
    float largest = 0;
    for (float value : row) {
      if (!Float.isFinite(value)) {
        throw new IllegalArgumentException("Cannot round %s to 8 bits".formatted(value));
      }
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }
}
