package io.guilomo.kernel.vector;

import io.guilomo.model.UserException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Off-heap memory of a matrix, or of a vector as a one-row matrix. Offsets are in bytes from the
 * first element.
 */
class VectorMemory {
  static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  static final int LANES = SPECIES.length();

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  final int rows;
  final int columns;

  /** Elements from one row to the next. */
  final int stride;

  final long address;
  final ByteBuffer buffer;

  /** Keeps the memory from being freed. */
  private final Object owner;

  private VectorMemory(
      Object owner, long address, int rows, int columns, int stride, boolean buffered) {
    this.owner = owner;
    this.address = address;
    this.rows = rows;
    this.columns = columns;
    this.stride = stride;
    this.buffer = buffered ? buffer(address, ((rows - 1L) * stride + columns) * Float.BYTES) : null;
  }

  static VectorMemory matrix(INDArray array) {
    return matrix(array, true);
  }

  /** A matrix of any size, with an address but no buffer. */
  static VectorMemory addressed(INDArray array) {
    return matrix(array, false);
  }

  private static VectorMemory matrix(INDArray array, boolean buffered) {
    int rows = Math.toIntExact(array.size(0));
    int columns = Math.toIntExact(array.size(1));
    int stride = rows == 1 ? columns : Math.toIntExact(array.stride(0));
    return new VectorMemory(array, address(array), rows, columns, stride, buffered);
  }

  static VectorMemory vector(INDArray array) {
    int length = Math.toIntExact(array.length());
    return new VectorMemory(array, address(array), 1, length, length, true);
  }

  static VectorMemory at(Pointer memory, int rows, int columns) {
    return new VectorMemory(memory, memory.address(), rows, columns, columns, true);
  }

  private static long address(INDArray array) {
    return array.data().address() + array.offset() * Float.BYTES;
  }

  /** Bytes at an address, which something else keeps. */
  static ByteBuffer buffer(long address, long bytes) {
    if (bytes > Integer.MAX_VALUE) {
      throw new UserException(
          "Cannot compute on %d bytes at once: CPU kernels reach %d; take a smaller batch-size, a"
              + " shorter model.max-length or a lower lora-moe.max-rank",
          bytes, Integer.MAX_VALUE);
    }
    return new Window(address, bytes).asByteBuffer().order(ORDER);
  }

  /** One row, with a buffer. */
  VectorMemory row(int row) {
    return rows(row, row + 1);
  }

  /** Some rows, with a buffer. */
  VectorMemory rows(int from, int to) {
    return new VectorMemory(owner, addressOf(from, 0), to - from, columns, stride, true);
  }

  long addressOf(int row, int column) {
    return address + ((long) row * stride + column) * Float.BYTES;
  }

  int at(int row, int column) {
    return (row * stride + column) * Float.BYTES;
  }

  float get(int offset) {
    return buffer.getFloat(offset);
  }

  void put(int offset, float value) {
    buffer.putFloat(offset, value);
  }

  FloatVector load(int offset) {
    return FloatVector.fromByteBuffer(SPECIES, buffer, offset, ORDER);
  }

  void store(int offset, FloatVector value) {
    value.intoByteBuffer(buffer, offset, ORDER);
  }

  /** First column that is not covered by whole vectors. */
  int bound() {
    return columns - columns % LANES;
  }

  /** Bytes at an address, for JavaCPP to turn into a buffer. */
  private static class Window extends Pointer {
    Window(long address, long bytes) {
      this.address = address;
      this.limit = bytes;
      this.capacity = bytes;
    }

    @Override
    public int sizeof() {
      return 1;
    }
  }
}
