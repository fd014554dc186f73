package io.guilomo.kernel.cuda;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Arrays in the memory of a card. ND4J knows their address, type and shape but never reads them: it
 * has no kernels for these cards.
 */
final class DeviceArrays {
  private final CudaStream stream;
  private final Set<Long> live = ConcurrentHashMap.newKeySet();

  DeviceArrays(CudaStream stream) {
    this.stream = stream;
  }

  /** An address that JavaCPP neither owns nor frees. */
  private static final class Address extends Pointer {
    Address(long address, long elements) {
      this.address = address;
      this.limit = elements;
      this.capacity = elements;
    }
  }

  INDArray allocate(DataType type, long length) {
    if (type != DataType.FLOAT && type != DataType.DOUBLE && type != DataType.BFLOAT16) {
      throw new IllegalArgumentException("Cannot compute with %s on a GPU".formatted(type));
    }
    long address = stream.device().allocate(Math.max(1, length) * type.width());
    live.add(address);
    DataBuffer buffer =
        Nd4j.createBuffer(new Address(address, Math.max(1, length)), Math.max(1, length), type);
    return Nd4j.create(buffer, new long[] {Math.max(1, length)}, new long[] {1}, 0, 'c');
  }

  void release(INDArray array) {
    long address = address(array);
    if (!live.remove(address)) {
      throw new IllegalArgumentException(
          "Cannot release an array that is a view, or was released before");
    }
    stream.device().free(address);
  }

  /** Address of the first element; 0 for null. */
  static long address(INDArray array) {
    return array == null ? 0 : array.data().address() + array.offset() * array.dataType().width();
  }

  /** Elements from one row to the next. */
  static long stride(INDArray matrix) {
    return matrix.size(0) == 1 ? matrix.size(1) : matrix.stride(0);
  }
}
