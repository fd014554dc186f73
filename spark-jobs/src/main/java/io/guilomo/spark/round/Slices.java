package io.guilomo.spark.round;

import io.guilomo.io.FloatMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A flat array cut into slices of {@link #LENGTH} values, as which parameters and updater state
 * travel. They are bytes, because both Java and ND4J serialise floats one by one.
 */
final class Slices {

  static final int LENGTH = 1 << 20;

  private Slices() {}

  static int count(INDArray flat) {
    return Math.toIntExact((flat.length() + LENGTH - 1) / LENGTH);
  }

  /** Values of one slice; the last may be shorter. */
  static byte[] get(INDArray flat, int slice) {
    long offset = (long) slice * LENGTH;
    byte[] bytes = new byte[(int) Math.min(LENGTH, flat.length() - offset) * Float.BYTES];
    FloatMemory.of(flat).getBytes(offset, bytes);
    return bytes;
  }

  /** Overwrites one slice. */
  static void put(INDArray flat, int slice, byte[] bytes) {
    FloatMemory.of(flat).putBytes((long) slice * LENGTH, bytes);
  }

  /** All of them. */
  static Slice[] all(INDArray flat) {
    return IntStream.range(0, count(flat)).mapToObj(i -> Slice.of(flat, i)).toArray(Slice[]::new);
  }

  /** The floats of such bytes, to read and to write. */
  static FloatBuffer floats(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }
}
