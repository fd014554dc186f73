package io.guilomo.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TestTensorType {

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void everyNumberOfTwoBytesIsItself(TensorType type) {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = decoded(type, (short) bits);
      if (Float.isNaN(value)) {
        assertThat(decoded(type, encoded(type, value))).isNaN();
      } else {
        assertThat(encoded(type, value)).as("%x", bits).isEqualTo((short) bits);
      }
    }
  }

  /** What is half-way between two neighbours goes to the even one, and all else to the nearer. */
  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void betweenTwoNumbersTheNearestIsTaken(TensorType type) {
    int infinity = type == TensorType.F16 ? 0x7c00 : 0x7f80;
    for (int bits = 0; bits < infinity - 1; bits++) {
      double low = decoded(type, (short) bits);
      float middle = (float) ((low + decoded(type, (short) (bits + 1))) / 2);
      short even = (short) (bits + (bits & 1));
      assertThat(encoded(type, middle)).as("%x", bits).isEqualTo(even);
      assertThat(encoded(type, -middle)).as("-%x", bits).isEqualTo((short) (even | 0x8000));
      assertThat(encoded(type, Math.nextDown(middle))).as("below %x", bits).isEqualTo((short) bits);
      assertThat(encoded(type, Math.nextUp(middle)))
          .as("above %x", bits)
          .isEqualTo((short) (bits + 1));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F16, 65519.996, true",
    "F16, 65520, false",
    "BF16, 3.395e38, true",
    "BF16, 3.397e38, false",
    "F32, 3.4028235e38, true",
    "F32, Infinity, false",
    "F16, NaN, false"
  })
  void whatWouldBecomeInfiniteIsNotHeld(TensorType type, float value, boolean held) {
    assertThat(type.holds(value)).isEqualTo(held);
    assertThat(type.holds(-value)).isEqualTo(held);
    ByteBuffer bytes = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    type.encode(new float[] {value}, 1, bytes);
    float[] back = new float[1];
    type.decode(bytes, back, 1);
    assertThat(Float.isFinite(back[0])).isEqualTo(held);
  }

  @Test
  void singlePrecisionIsKept() {
    ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    TensorType.F32.encode(new float[] {0.1f, -3, 7}, 2, bytes);
    assertThat(bytes.getFloat(0)).isEqualTo(0.1f);
    assertThat(bytes.getFloat(4)).isEqualTo(-3);
  }

  private static short encoded(TensorType type, float value) {
    ByteBuffer bytes = ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN);
    type.encode(new float[] {value}, 1, bytes);
    return bytes.getShort(0);
  }

  private static float decoded(TensorType type, short bits) {
    ByteBuffer bytes = ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN).putShort(0, bits);
    float[] value = new float[1];
    type.decode(bytes, value, 1);
    return value[0];
  }
}
