package io.guilomo.kernel;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Arrays in the memory of kernels, which the host may not be able to read. */
public final class KernelArrays {

  private KernelArrays() {}

  public static INDArray array(Kernels kernels, float... values) {
    return array(kernels, values, values.length);
  }

  public static INDArray array(Kernels kernels, float[][] rows) {
    float[] values = new float[rows.length * rows[0].length];
    for (int r = 0; r < rows.length; r++) {
      System.arraycopy(rows[r], 0, values, r * rows[0].length, rows[0].length);
    }
    return array(kernels, values, rows.length, rows[0].length);
  }

  public static INDArray array(Kernels kernels, float[] values, long... shape) {
    INDArray flat = kernels.allocate(DataType.FLOAT, values.length);
    kernels.write(values, flat);
    return ArrayViews.slice(flat, 0, shape);
  }

  /** A copy of an array of the host. */
  public static INDArray array(Kernels kernels, INDArray host) {
    return array(kernels, host.dup('c').data().asFloat(), host.shape());
  }

  public static INDArray filled(Kernels kernels, double value, long... shape) {
    return filled(kernels, DataType.FLOAT, value, shape);
  }

  public static INDArray zeros(Kernels kernels, long... shape) {
    return filled(kernels, 0, shape);
  }

  /** A vector of 64-bit zeros. */
  public static INDArray doubles(Kernels kernels, long length) {
    return filled(kernels, DataType.DOUBLE, 0, length);
  }

  private static INDArray filled(Kernels kernels, DataType type, double value, long... shape) {
    INDArray flat = kernels.allocate(type, Arrays.stream(shape).reduce(1, (a, b) -> a * b));
    kernels.fill(flat, value);
    return ArrayViews.slice(flat, 0, shape);
  }

  /** A frozen matrix with the values of an array of the host. */
  public static FrozenMatrix frozen(Kernels kernels, DataType type, INDArray host) {
    FrozenMatrix frozen = kernels.frozen(type, host.rows(), host.columns());
    float[] values = host.dup('c').data().asFloat();
    frozen.put(0, values, values.length);
    return frozen;
  }

  /** The elements of a frozen matrix that its backend keeps as an array. */
  public static INDArray matrix(FrozenMatrix frozen) {
    return FrozenArray.matrix(frozen);
  }

  /** A contiguous copy in the same memory. */
  public static INDArray copy(Kernels kernels, INDArray array) {
    INDArray flat = kernels.allocate(DataType.FLOAT, array.length());
    INDArray copy = ArrayViews.slice(flat, 0, array.shape());
    kernels.copy(array, copy);
    return copy;
  }

  /** The elements in row-major order. */
  public static float[] values(Kernels kernels, INDArray array) {
    float[] values = new float[(int) array.length()];
    boolean strided = array.rank() == 2 && array.size(0) > 1 && array.stride(0) != array.size(1);
    INDArray read = strided ? copy(kernels, array) : array;
    kernels.read(read, values);
    return values;
  }

  /** The elements of a vector of 64-bit floats. */
  public static double[] doubleValues(Kernels kernels, INDArray vector) {
    double[] values = new double[(int) vector.length()];
    kernels.read(vector, values);
    return values;
  }

  public static float[][] rows(Kernels kernels, INDArray matrix) {
    float[] all = values(kernels, matrix);
    float[][] rows = new float[(int) matrix.size(0)][];
    int columns = (int) matrix.size(1);
    for (int r = 0; r < rows.length; r++) {
      rows[r] = Arrays.copyOfRange(all, r * columns, (r + 1) * columns);
    }
    return rows;
  }

  /** A copy for the host. */
  public static INDArray host(Kernels kernels, INDArray array) {
    return Nd4j.createFromArray(values(kernels, array)).reshape('c', array.shape());
  }

  /** Sets a contiguous array to the values of one of the host. */
  public static void set(Kernels kernels, INDArray target, INDArray host) {
    kernels.write(host.dup('c').data().asFloat(), target);
  }
}
