package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ropes whose frequencies depend on the length of each sequence. */
class TestRotary {

  private static final int ORIGINAL = 8;

  private static final List<Rope> ROPES =
      List.of(
          new Rope(50, new Rope.Dynamic(3, ORIGINAL)),
          new Rope(50, new Rope.LongRope(List.of(1.0, 1.5), List.of(2.0, 5.0), ORIGINAL, 1.2)));

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void eachSequenceHasItsOwn(Kernels kernels) {
    for (Rope rope : ROPES) {
      try (LoraMoeNetwork network = TinyModels.tuned(TinyDecoders.phi(1, rope), kernels)) {
        List<int[]> texts = List.of(text(1, 3), text(2, 20), text(3, 8), text(4, 9), text(5, 20));
        float[][] together = network.logitRows(batch(texts));
        int row = 0;
        for (int[] text : texts) {
          for (float[] alone : network.logitRows(batch(List.of(text)))) {
            assertClose(together[row++], alone);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void aSequenceReadPieceByPieceHasThoseOfItsRoom(Kernels kernels) {
    for (Rope rope : ROPES) {
      try (LoraMoeNetwork network = TinyModels.tuned(TinyDecoders.phi(1, rope), kernels)) {
        int[] small = text(1, 8);
        int[] large = text(2, 14);
        IncrementalDecoder decoder = network.decoder(new int[] {8, 14});
        float[][] wholeSmall = network.logitRows(batch(List.of(small)));
        float[][] wholeLarge = network.logitRows(batch(List.of(large)));
        decoder.read(new int[] {1, 0}, List.of(Arrays.copyOf(large, 5), Arrays.copyOf(small, 3)));
        for (int t = 3; t < 8; t++) {
          float[][] next =
              decoder.read(
                  new int[] {0, 1}, List.of(new int[] {small[t]}, new int[] {large[t + 2]}));
          assertClose(next[0], wholeSmall[t]);
          assertClose(next[1], wholeLarge[t + 2]);
        }
        assertClose(
            decoder.read(new int[] {1}, List.of(Arrays.copyOfRange(large, 10, 14)))[0],
            wholeLarge[13]);
      }
    }
  }

  /** Long sequences would be the same as short ones if lengths did not matter. */
  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void lengthsMatter(Kernels kernels) {
    for (Rope rope : ROPES) {
      try (LoraMoeNetwork network = TinyModels.tuned(TinyDecoders.phi(1, rope), kernels)) {
        int[] text = text(2, 12);
        float[] asBeginning = network.logitRows(batch(List.of(text)))[7];
        float[] alone = network.logitRows(batch(List.of(Arrays.copyOf(text, 8))))[7];
        double difference = 0;
        for (int v = 0; v < alone.length; v++) {
          difference = Math.max(difference, Math.abs(asBeginning[v] - alone[v]));
        }
        assertThat(difference).isGreaterThan(1e-3);
      }
    }
  }

  private static int[] text(long seed, int length) {
    return new Random(seed).ints(length, 0, 11).toArray();
  }

  private static TokenBatch batch(List<int[]> texts) {
    List<Example> examples = new ArrayList<>();
    texts.forEach(text -> examples.add(new Example(text, new int[text.length], text)));
    return TokenBatch.of(examples);
  }

  private static void assertClose(float[] actual, float[] expected) {
    for (int v = 0; v < expected.length; v++) {
      assertThat((double) actual[v]).isCloseTo(expected[v], within(5e-6));
    }
  }
}
