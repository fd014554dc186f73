package io.guilomo.kernel;

import org.bytedeco.javacpp.indexer.HalfIndexer;
import org.nd4j.linalg.api.buffer.DataType;

/** 16-bit floats. */
final class NarrowFloats {

  private NarrowFloats() {}

  /**
   * Rounds the first values of {@code source} to nearest, bfloat16 with ties to even.
   *
   * @param type {@link DataType#BFLOAT16} or {@link DataType#HALF}
   */
  static void round(float[] source, DataType type, short[] target) {
    if (type == DataType.HALF) {
      for (int i = 0; i < target.length; i++) {
        target[i] = (short) HalfIndexer.fromFloat(source[i]);
      }
    } else {
      for (int i = 0; i < target.length; i++) {
        int bits = Float.floatToRawIntBits(source[i]);
        target[i] = (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
      }
    }
  }
}
