package io.guilomo.spark.training;

import io.guilomo.io.FloatMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A flat array cut into stretches of {@link #LENGTH} values: the pieces in which parameters and
 * updater state travel, as bytes: Java's and ND4J's own serialisation of floats take value by
 * value.
 */
final class Stretches {

  static final int LENGTH = 1 << 20;

  private Stretches() {}

  static int count(INDArray flat) {
    return Math.toIntExact((flat.length() + LENGTH - 1) / LENGTH);
  }

  /** Values of one stretch; the last may be shorter. */
  static byte[] get(INDArray flat, int stretch) {
    long offset = (long) stretch * LENGTH;
    byte[] bytes = new byte[(int) Math.min(LENGTH, flat.length() - offset) * Float.BYTES];
    FloatMemory.of(flat).getBytes(offset, bytes);
    return bytes;
  }

  /** Overwrites one stretch. */
  static void put(INDArray flat, int stretch, byte[] bytes) {
    FloatMemory.of(flat).putBytes((long) stretch * LENGTH, bytes);
  }

  static byte[][] all(INDArray flat) {
    return IntStream.range(0, count(flat)).mapToObj(i -> get(flat, i)).toArray(byte[][]::new);
  }

  /** The floats of such bytes, to read and to write. */
  static FloatBuffer floats(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }
}
