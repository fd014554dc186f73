package io.guilomo.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Row-major views into arrays. ND4J's own {@code get} compares the offset of a view with its
 * length, and returns an empty array for later parts of a view that does not start at the beginning
 * of its buffer.
 */
public final class ArrayViews {

  private ArrayViews() {}

  /**
   * A slice of a contiguous array as an array of the given shape.
   *
   * @param offset index of the first element in {@code flat}
   */
  public static INDArray slice(INDArray flat, long offset, long... shape) {
    long length = 1;
    for (long size : shape) {
      length *= size;
    }
    if (offset < 0 || offset + length > flat.length()) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot view elements %d to %d of %d", offset, offset + length, flat.length()));
    }
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= shape[i];
    }
    return view(flat, offset, shape, strides);
  }

  /** Columns {@code first .. first + count − 1} of {@code [rows, columns]}. */
  public static INDArray columns(INDArray matrix, long first, long count) {
    if (first == 0 && count == matrix.size(1)) {
      return matrix;
    }
    if (first < 0 || first + count > matrix.size(1)) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot view columns %d to %d of %d", first, first + count, matrix.size(1)));
    }
    return view(
        matrix, first * matrix.stride(1), new long[] {matrix.size(0), count}, matrix.stride());
  }

  /** Rows {@code first .. first + count − 1} of {@code [rows, columns]}. */
  public static INDArray rows(INDArray matrix, long first, long count) {
    if (first < 0 || first + count > matrix.size(0)) {
      throw new IllegalArgumentException(
          String.format("Cannot view rows %d to %d of %d", first, first + count, matrix.size(0)));
    }
    return view(
        matrix, first * matrix.stride(0), new long[] {count, matrix.size(1)}, matrix.stride());
  }

  private static INDArray view(INDArray array, long offset, long[] shape, long[] strides) {
    return Nd4j.create(array.data(), shape, strides, array.offset() + offset, 'c');
  }
}
