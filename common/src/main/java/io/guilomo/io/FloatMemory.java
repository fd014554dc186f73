package io.guilomo.io;

import java.util.Arrays;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager.Location;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The host memory of a contiguous, row-major float array, which is copied in and out in blocks. */
public final class FloatMemory implements FloatSink {

  private final INDArray array;
  private final FloatPointer memory;

  private FloatMemory(INDArray array) {
    this.array = array;
    Nd4j.getAffinityManager().ensureLocation(array, Location.HOST);
    this.memory = new FloatPointer(array.data().addressPointer());
  }

  /**
   * The memory of {@code array}, which may be a view of whole rows.
   *
   * @throws IllegalArgumentException if the array is not float32 or its elements are not adjacent
   */
  public static FloatMemory of(INDArray array) {
    if (array.dataType() != DataType.FLOAT || !rowMajor(array)) {
      throw new IllegalArgumentException(
          "Cannot copy tensor values of a %s array of shape %s and strides %s: it is not contiguous float32"
              .formatted(
                  array.dataType(),
                  Arrays.toString(array.shape()),
                  Arrays.toString(array.stride())));
    }
    return new FloatMemory(array);
  }

  /**
   * Whether the elements are adjacent in row-major order; dimensions of size 1 may have any stride.
   */
  static boolean rowMajor(INDArray array) {
    long expected = 1;
    for (int d = array.rank() - 1; d >= 0; d--) {
      if (array.size(d) > 1 && array.stride(d) != expected) {
        return false;
      }
      expected *= array.size(d);
    }
    return true;
  }

  @Override
  public void put(long position, float[] values, int count) {
    memory.position(position).put(values, 0, count);
    Nd4j.getAffinityManager().tagLocation(array, Location.HOST);
  }

  /** Sets the elements from {@code position} to those whose bytes, in native order, are given. */
  public void putBytes(long position, byte[] bytes) {
    try (BytePointer all = new BytePointer(memory)) {
      all.position(position * Float.BYTES).put(bytes);
    }
    Nd4j.getAffinityManager().tagLocation(array, Location.HOST);
  }

  /** Fills {@code bytes} with the elements from {@code position}, in native order. */
  public void getBytes(long position, byte[] bytes) {
    try (BytePointer all = new BytePointer(memory)) {
      all.position(position * Float.BYTES).get(bytes);
    }
  }

  /** Copies {@code count} elements from {@code position} to the start of {@code values}. */
  public void get(long position, float[] values, int count) {
    memory.position(position).get(values, 0, count);
  }
}
