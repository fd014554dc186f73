package io.guilomo.kernel;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A frozen matrix stored as a plain array of its device. */
final class FrozenArray implements FrozenMatrix {
  private final Device device;
  private final INDArray elements;
  private final INDArray matrix;

  FrozenArray(Device device, DataType type, long rows, long columns) {
    this.device = device;
    this.elements = device.allocate(type, rows * columns);
    this.matrix = ArrayViews.slice(elements, 0, rows, columns);
  }

  /** The array {@code [rows, columns]}. */
  static INDArray matrix(FrozenMatrix frozen) {
    return of(frozen).matrix;
  }

  /** The vector that was allocated for it. */
  static INDArray elements(FrozenMatrix frozen) {
    return of(frozen).elements;
  }

  private static FrozenArray of(FrozenMatrix frozen) {
    if (frozen instanceof FrozenArray array) {
      return array;
    }
    throw new IllegalArgumentException(
        String.format(
            "Cannot use a matrix [%d, %d] that another backend has packed",
            frozen.rows(), frozen.columns()));
  }

  @Override
  public String memory() {
    return device.memory();
  }

  @Override
  public long rows() {
    return matrix.size(0);
  }

  @Override
  public long columns() {
    return matrix.size(1);
  }

  @Override
  public DataType type() {
    return matrix.dataType();
  }

  @Override
  public long bytes() {
    return matrix.length() * type().width();
  }

  @Override
  public void put(long position, float[] values, int count) {
    device.write(values, ArrayViews.slice(elements, position, count));
  }
}
