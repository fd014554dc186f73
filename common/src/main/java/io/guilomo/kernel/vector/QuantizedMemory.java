package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;
import static io.guilomo.kernel.vector.VectorMemory.SPECIES;

import io.guilomo.kernel.QuantizedMatrix;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Off-heap memory of a matrix of 8-bit integers with a scale for each row. */
final class QuantizedMemory implements Widened {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** What is read through one buffer. */
  private static final int WINDOW = 1 << 30;

  /** As many bytes as a vector has floats, or where that is no vector of bytes, the shortest. */
  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(
          byte.class, VectorShape.forBitSize(Math.max(Long.SIZE, SPECIES.vectorBitSize() / 4)));

  private static final int PARTS = BYTES.length() / LANES;

  private final QuantizedMatrix matrix;
  private final long address;
  private final long scales;
  private final int stride;

  QuantizedMemory(QuantizedMatrix matrix) {
    this.matrix = matrix;
    this.address = matrix.elements().data().address();
    this.scales = matrix.scales().data().address();
    this.stride = Math.toIntExact(matrix.columns());
  }

  @Override
  public void widen(int row, int column, VectorMemory target, boolean accumulate) {
    ByteBuffer factors =
        VectorMemory.buffer(scales + (long) row * Float.BYTES, (long) target.rows * Float.BYTES);
    int step = Math.max(1, WINDOW / stride);
    for (int from = 0; from < target.rows; from += step) {
      int count = Math.min(step, target.rows - from);
      ByteBuffer source =
          VectorMemory.buffer(
              address + (long) (row + from) * stride + column,
              (count - 1L) * stride + target.columns);
      for (int i = 0; i < count; i++) {
        float scale = factors.getFloat((from + i) * Float.BYTES);
        widen(source, i * stride, scale, target, from + i, accumulate);
      }
    }
    Reference.reachabilityFence(matrix);
  }

  private static void widen(
      ByteBuffer source, int in, float scale, VectorMemory target, int row, boolean accumulate) {
    int out = target.at(row, 0);
    int bound = target.columns - target.columns % BYTES.length();
    int c = 0;
    for (; c < bound; c += BYTES.length()) {
      ByteVector bytes = ByteVector.fromByteBuffer(BYTES, source, in + c, ORDER);
      // A constant for the compiler, and nearly always the only part.
      store(bytes, 0, scale, target, out + 4 * c, accumulate);
      for (int part = 1; part < PARTS; part++) {
        store(bytes, part, scale, target, out + 4 * (c + part * LANES), accumulate);
      }
    }
    for (; c < target.columns; c++) {
      float value = source.get(in + c) * scale;
      target.put(out + 4 * c, accumulate ? target.get(out + 4 * c) + value : value);
    }
  }

  private static void store(
      ByteVector bytes, int part, float scale, VectorMemory target, int at, boolean accumulate) {
    FloatVector value =
        ((FloatVector) bytes.convertShape(VectorOperators.B2F, SPECIES, part)).mul(scale);
    target.store(at, accumulate ? target.load(at).add(value) : value);
  }
}
