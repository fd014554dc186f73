package io.guilomo.io;

import java.nio.ByteBuffer;

/** Element types of safetensors files. */
enum TensorType {
  F64(8),
  F32(4),
  F16(2),
  BF16(2),
  F8_E4M3(1),
  F8_E5M2(1),
  I64(8),
  I32(4),
  I16(2),
  I8(1),
  U64(8),
  U32(4),
  U16(2),
  U8(1),
  BOOL(1);

  private final int bytes;

  TensorType(int bytes) {
    this.bytes = bytes;
  }

  int bytes() {
    return bytes;
  }

  /** Whether {@link #decode} converts it to float32. */
  boolean weights() {
    return this == F32 || this == F16 || this == BF16;
  }

  /**
   * Converts {@code count} little-endian elements of {@code source} to floats in {@code target}.
   */
  void decode(ByteBuffer source, float[] target, int count) {
    switch (this) {
      case F32 -> source.asFloatBuffer().get(target, 0, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          target[i] = half(source.getShort(2 * i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          target[i] = Float.intBitsToFloat(source.getShort(2 * i) << 16);
        }
      }
      default -> throw new IllegalStateException("Cannot decode " + this + " as floats");
    }
  }

  /** The value of an IEEE 754 binary16 number. */
  static float half(short bits) {
    int sign = (bits & 0x8000) << 16;
    int exponent = (bits >>> 10) & 0x1f;
    int mantissa = bits & 0x3ff;
    if (exponent == 0) {
      return Float.intBitsToFloat(sign | Float.floatToRawIntBits(mantissa * 0x1p-24f));
    }
    int widened = exponent == 0x1f ? 0xff : exponent + 112;
    return Float.intBitsToFloat(sign | (widened << 23) | (mantissa << 13));
  }
}
