package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;
import static io.guilomo.kernel.vector.VectorMemory.SPECIES;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.bytedeco.javacpp.indexer.HalfIndexer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Off-heap memory of a matrix of 16-bit floats. */
final class NarrowMemory implements Widened {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final VectorSpecies<Integer> INTS = SPECIES.withLanes(int.class);
  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(SPECIES.vectorBitSize() / 2));

  /** What is read through one buffer. */
  private static final long WINDOW = 1L << 30;

  /** Exponents of float16 and float32 differ by this factor where the bits are aligned. */
  private static final float REBIAS = 0x1p112f;

  private static final int INFINITE_HALF = 0x7c00 << 13;
  private static final int INFINITE = 0x7f800000;

  final int rows;
  final int columns;

  /** Elements from one row to the next. */
  final int stride;

  private final long address;
  private final boolean half;

  /** Keeps the memory from being freed. */
  private final Object owner;

  private NarrowMemory(
      Object owner, long address, int rows, int columns, int stride, boolean half) {
    this.owner = owner;
    this.address = address;
    this.rows = rows;
    this.columns = columns;
    this.stride = stride;
    this.half = half;
  }

  /** Whether an array has 16-bit floats. */
  static boolean holds(INDArray array) {
    return array.dataType() != DataType.FLOAT;
  }

  /**
   * @param array of {@link DataType#BFLOAT16} or {@link DataType#HALF}
   */
  static NarrowMemory matrix(INDArray array) {
    int rows = Math.toIntExact(array.size(0));
    int columns = Math.toIntExact(array.size(1));
    return new NarrowMemory(
        array,
        array.data().address() + array.offset() * Short.BYTES,
        rows,
        columns,
        rows == 1 ? columns : Math.toIntExact(array.stride(0)),
        array.dataType() == DataType.HALF);
  }

  /** Whether the elements are bfloat16; else they are IEEE 754's binary16. */
  boolean bfloat16() {
    return !half;
  }

  long addressOf(int row, int column) {
    return address + ((long) row * stride + column) * Short.BYTES;
  }

  @Override
  public void widen(int row, int column, VectorMemory target, boolean accumulate) {
    int step = (int) Math.max(1, WINDOW / ((long) stride * Short.BYTES));
    for (int from = 0; from < target.rows; from += step) {
      int count = Math.min(step, target.rows - from);
      ByteBuffer buffer =
          VectorMemory.buffer(
                  addressOf(row + from, column),
                  ((count - 1L) * stride + target.columns) * Short.BYTES)
              .order(ORDER);
      for (int i = 0; i < count; i++) {
        widen(buffer, Short.BYTES * i * stride, target, from + i, accumulate);
      }
    }
    Reference.reachabilityFence(owner);
  }

  private void widen(ByteBuffer buffer, int in, VectorMemory target, int row, boolean accumulate) {
    int out = target.at(row, 0);
    int c = 0;
    for (; c < target.bound(); c += LANES) {
      FloatVector value = load(buffer, in + 2 * c);
      target.store(out + 4 * c, accumulate ? target.load(out + 4 * c).add(value) : value);
    }
    for (; c < target.columns; c++) {
      float value = get(buffer, in + 2 * c);
      target.put(out + 4 * c, accumulate ? target.get(out + 4 * c) + value : value);
    }
  }

  private FloatVector load(ByteBuffer buffer, int at) {
    IntVector bits =
        (IntVector)
            ShortVector.fromByteBuffer(SHORTS, buffer, at, ORDER)
                .convertShape(VectorOperators.S2I, INTS, 0);
    return half ? ofHalf(bits) : bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  /**
   * @param bits of float16 in the lower half of each element
   */
  private static FloatVector ofHalf(IntVector bits) {
    IntVector sign = bits.and(0x80000000);
    IntVector magnitude = bits.and(0x7fff).lanewise(VectorOperators.LSHL, 13);
    IntVector value = magnitude.reinterpretAsFloats().mul(REBIAS).reinterpretAsInts();
    VectorMask<Integer> infinite = magnitude.compare(VectorOperators.GE, INFINITE_HALF);
    return value.lanewise(VectorOperators.OR, INFINITE, infinite).or(sign).reinterpretAsFloats();
  }

  private float get(ByteBuffer buffer, int at) {
    short bits = buffer.getShort(at);
    return half ? HalfIndexer.toFloat(bits & 0xffff) : Float.intBitsToFloat(bits << 16);
  }

  /**
   * Rounds a row of floats to bfloat16, to nearest, ties to even.
   *
   * @param out where the row begins in {@code target}, in bytes
   */
  static void round(VectorMemory source, int row, ByteBuffer target, int out) {
    int in = source.at(row, 0);
    int c = 0;
    for (; c < source.bound(); c += LANES) {
      store(rounded(source.load(in + 4 * c)), target, out + 2 * c);
    }
    for (; c < source.columns; c++) {
      target.putShort(out + 2 * c, (short) rounded(source.get(in + 4 * c)));
    }
  }

  /**
   * Splits a row of floats into two parts of bfloat16: it rounded, and what that leaves out,
   * rounded as well.
   *
   * @param out where the row begins in {@code high} and in {@code low}, in bytes
   */
  static void split(VectorMemory source, int row, ByteBuffer high, ByteBuffer low, int out) {
    int in = source.at(row, 0);
    int c = 0;
    for (; c < source.bound(); c += LANES) {
      FloatVector value = source.load(in + 4 * c);
      IntVector first = rounded(value);
      store(first, high, out + 2 * c);
      FloatVector rest = value.sub(first.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats());
      store(rounded(rest), low, out + 2 * c);
    }
    for (; c < source.columns; c++) {
      float value = source.get(in + 4 * c);
      int first = rounded(value);
      high.putShort(out + 2 * c, (short) first);
      low.putShort(out + 2 * c, (short) rounded(value - Float.intBitsToFloat(first << 16)));
    }
  }

  /** The bits of bfloat16 in the lower half of each element. */
  private static IntVector rounded(FloatVector value) {
    IntVector bits = value.reinterpretAsInts();
    IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
    return bits.add(0x7fff).add(odd).lanewise(VectorOperators.LSHR, 16);
  }

  private static int rounded(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }

  private static void store(IntVector bits, ByteBuffer target, int at) {
    ((ShortVector) bits.convertShape(VectorOperators.I2S, SHORTS, 0))
        .intoByteBuffer(target, at, ORDER);
  }
}
