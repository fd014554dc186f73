package io.guilomo.kernel.vector;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Random;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.Test;

/** Rows of floats as bfloat16. */
class TestNarrowMemory {
  private static final int COLUMNS = 203;
  private static final int OUT = 6;

  private final FloatPointer values = new FloatPointer(2L * COLUMNS);
  private final VectorMemory source = VectorMemory.at(values, 2, COLUMNS);
  private final ByteBuffer high = bytes();
  private final ByteBuffer low = bytes();

  TestNarrowMemory() {
    Random random = new Random(5);
    float[] special = {0f, -0f, 1 + 0x1p-8f, 1 + 0x3p-8f, -1 - 0x1p-8f, 0x1p-140f, 3e38f};
    for (int c = 0; c < COLUMNS; c++) {
      boolean isSpecial = c % 3 == 0;
      float value = isSpecial ? special[c / 3 % special.length] : (float) random.nextGaussian();
      source.put(source.at(1, c), value);
    }
  }

  private static ByteBuffer bytes() {
    return ByteBuffer.allocateDirect(OUT + COLUMNS * Short.BYTES).order(ByteOrder.nativeOrder());
  }

  private float value(int column) {
    return source.get(source.at(1, column));
  }

  private static float part(ByteBuffer target, int column) {
    return Float.intBitsToFloat(target.getShort(OUT + column * Short.BYTES) << 16);
  }

  /**
   * The nearest of the two neighbours with 8 significant bits, and of equally near ones the even.
   */
  private static float nearest(float value) {
    float below = Float.intBitsToFloat(Float.floatToRawIntBits(value) & 0xffff0000);
    float above = Float.intBitsToFloat(Float.floatToRawIntBits(below) + 0x10000);
    double toBelow = Math.abs((double) value - below);
    double toAbove = Math.abs((double) above - value);
    boolean belowIsEven = (Float.floatToRawIntBits(below) & 0x10000) == 0;
    return toBelow < toAbove || (toBelow == toAbove && belowIsEven) ? below : above;
  }

  @Test
  void roundsToNearestAndTiesToEven() {
    NarrowMemory.round(source, 1, high, OUT);
    for (int c = 0; c < COLUMNS; c++) {
      assertThat(part(high, c)).isEqualTo(nearest(value(c)));
    }
  }

  @Test
  void theSecondPartIsWhatRoundingLeavesOut() {
    NarrowMemory.split(source, 1, high, low, OUT);
    for (int c = 0; c < COLUMNS; c++) {
      assertThat(part(high, c)).isEqualTo(nearest(value(c)));
      assertThat(part(low, c)).isEqualTo(nearest(value(c) - part(high, c)));
    }
  }

  /** Vectors that the compiler cannot keep in registers become objects: gigabytes a second. */
  @Test
  void compiledRoundingMakesNoObjects() {
    assertThat(VectorCompilation.direct()).isTrue();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    long made;
    do {
      long before = threads.getThreadAllocatedBytes(thread);
      for (int i = 0; i < 1000; i++) {
        NarrowMemory.round(source, 1, high, OUT);
        NarrowMemory.split(source, 1, high, low, OUT);
      }
      made = threads.getThreadAllocatedBytes(thread) - before;
    } while (made > 10_000 && System.nanoTime() < deadline);
    assertThat(made).isLessThanOrEqualTo(10_000);
  }
}
