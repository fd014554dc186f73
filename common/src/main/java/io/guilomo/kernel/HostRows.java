package io.guilomo.kernel;

import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The rows of a matrix in host memory, one at a time. Not thread-safe. */
final class HostRows {

  private final FloatPointer memory;
  private final long stride;
  private final float[] row;

  HostRows(INDArray matrix) {
    this.memory = HostOperations.floats(matrix);
    this.stride = matrix.size(0) == 1 ? matrix.size(1) : matrix.stride(0);
    this.row = new float[(int) matrix.size(1)];
  }

  /** What was read last, or is written next. */
  float[] row() {
    return row;
  }

  float[] read(int index) {
    memory.position(index * stride).get(row, 0, row.length);
    return row;
  }

  void write(int index) {
    memory.position(index * stride).put(row, 0, row.length);
  }
}
