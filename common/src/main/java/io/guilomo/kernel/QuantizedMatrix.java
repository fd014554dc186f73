package io.guilomo.kernel;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen matrix in the memory of the host whose elements are 8-bit integers times a 32-bit float
 * of their row: the scale of an output of a linear module, or of an entry of a table. Products and
 * gathered rows compute with {@code element · scale}, rounded to 32 bits, as if it were the weight.
 */
public final class QuantizedMatrix implements FrozenMatrix {
  private final INDArray elements;
  private final INDArray scales;
  private final QuantizedRows rows;

  QuantizedMatrix(Device host, long rows, long columns) {
    this.elements =
        ArrayViews.slice(host.allocate(DataType.BYTE, rows * columns), 0, rows, columns);
    this.scales = host.allocate(DataType.FLOAT, rows);
    this.rows = new QuantizedRows(Math.toIntExact(columns), this::put);
  }

  /** The integers {@code [rows, columns]}, contiguous. */
  public INDArray elements() {
    return elements;
  }

  /** What they are multiplied by, {@code [rows]}. */
  public INDArray scales() {
    return scales;
  }

  /** What rounding has lost of the rows so far. */
  public RoundingError error() {
    return rows.error();
  }

  @Override
  public String memory() {
    return Device.HOST;
  }

  @Override
  public long rows() {
    return elements.size(0);
  }

  @Override
  public long columns() {
    return elements.size(1);
  }

  @Override
  public DataType type() {
    return DataType.BYTE;
  }

  @Override
  public long bytes() {
    return elements.length() + scales.length() * Float.BYTES;
  }

  /**
   * {@inheritDoc} Each call must go on where the one before has ended.
   *
   * @throws IllegalArgumentException also if a value is infinite or NaN
   */
  @Override
  public void put(long position, float[] values, int count) {
    if (position != rows.filled() || position + count > elements.length()) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot set elements %d to %d of %d: %d are set",
              position, position + count, elements.length(), rows.filled()));
    }
    rows.put(values, count);
  }

  private void put(long row, byte[] integers, float scale) {
    new BytePointer(elements.data().addressPointer())
        .position(row * integers.length)
        .put(integers, 0, integers.length);
    new FloatPointer(scales.data().addressPointer()).put(row, scale);
  }
}
