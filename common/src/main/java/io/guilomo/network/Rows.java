package io.guilomo.network;

import io.guilomo.kernel.Kernels;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Copies for the host. */
final class Rows {

  private Rows() {}

  /** The rows of a contiguous matrix. */
  static float[][] read(Kernels kernels, INDArray matrix) {
    int columns = Math.toIntExact(matrix.size(1));
    float[] all = new float[Math.toIntExact(matrix.length())];
    kernels.read(matrix, all);
    float[][] rows = new float[Math.toIntExact(matrix.size(0))][];
    for (int row = 0; row < rows.length; row++) {
      rows[row] = Arrays.copyOfRange(all, row * columns, (row + 1) * columns);
    }
    return rows;
  }
}
