package io.guilomo.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Element types of safetensors files. */
public enum TensorType {
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

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  /** Whether {@link #decode} converts it to float32. */
  public boolean weights() {
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

  /**
   * Whether rounding the value to this type gives a finite number; false for infinities and NaN.
   */
  public boolean holds(float value) {
    float magnitude = Math.abs(value);
    return switch (this) {
      case F32 -> Float.isFinite(value);
      case F16 -> magnitude < 65_520;
      case BF16 -> magnitude < 0x1.ffp127f;
      default -> throw new IllegalStateException("Cannot round floats to " + this);
    };
  }

  /** The first {@code count} floats as elements, as {@link #encode} converts them. */
  public byte[] bytes(float[] values, int count) {
    ByteBuffer encoded = ByteBuffer.allocate(count * bytes).order(ByteOrder.LITTLE_ENDIAN);
    encode(values, count, encoded);
    return encoded.array();
  }

  /**
   * Converts floats to elements, rounded to the nearest value and half-way cases to the even one,
   * little-endian from the start of {@code target}.
   */
  public void encode(float[] source, int count, ByteBuffer target) {
    switch (this) {
      case F32 -> target.asFloatBuffer().put(source, 0, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          target.putShort(2 * i, half(source[i]));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          target.putShort(2 * i, brain(source[i]));
        }
      }
      default -> throw new IllegalStateException("Cannot encode floats as " + this);
    }
  }

  private static short brain(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }

  /** The nearest IEEE 754 binary16 number. */
  static short half(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = (bits >>> 16) & 0x8000;
    int magnitude = bits & 0x7fff_ffff;
    if (Float.isNaN(value)) {
      return (short) (sign | 0x7e00);
    }
    if (!F16.holds(value)) {
      return (short) (sign | 0x7c00);
    }
    if (magnitude < 0x3880_0000) {
      // Below 2⁻¹⁴: whole multiples of 2⁻²⁴.
      return (short) (sign | (int) Math.rint(Float.intBitsToFloat(magnitude) * 0x1p24f));
    }
    int rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return (short) (sign | ((rounded - (112 << 23)) >>> 13));
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
