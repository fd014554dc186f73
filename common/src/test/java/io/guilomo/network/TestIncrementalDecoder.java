package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A decoder against passes over whole sequences. */
class TestIncrementalDecoder {

  private static final int VOCABULARY = 11;

  /** Of logits of about 1: their last bits depend on the number of rows of a product. */
  private static final double TOLERANCE = 5e-6;

  private static final int I = TokenBatch.IGNORED;

  private static List<Backbone> backbones() {
    return List.of(
        TinyModels.llama(1),
        TinyModels.llama(2, 1, 0),
        TinyModels.llama(3, 4, 0),
        TinyModels.llama(4, 2, 3),
        TinyDecoders.options(5),
        TinyDecoders.gemma(6),
        TinyDecoders.phi(7));
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void logitsAreThoseOfWholeSequences(Kernels kernels) {
    for (Backbone backbone : backbones()) {
      try (LoraMoeNetwork network = TinyModels.tuned(backbone, kernels)) {
        int[] one = tokens(1, 12);
        int[] two = tokens(2, 5);
        int[] three = tokens(3, 20);
        IncrementalDecoder decoder = network.decoder(new int[] {12, 5, 20});

        float[][] both = decoder.read(new int[] {0, 2}, List.of(cut(one, 0, 7), cut(three, 0, 1)));
        assertClose(both, 0, network, cut(one, 0, 7));
        both = decoder.read(new int[] {2, 1}, List.of(cut(three, 1, 18), cut(two, 0, 4)));
        assertClose(both, 1, network, cut(two, 0, 4));
        float[][] last = decoder.read(new int[] {1}, List.of(cut(two, 4, 5)));
        assertClose(last, 0, network, two);
        for (int t = 7; t < 12; t++) {
          int[] next = cut(one, t, t + 1);
          float[][] logits =
              t < 9
                  ? decoder.read(new int[] {0, 2}, List.of(next, cut(three, t + 11, t + 12)))
                  : decoder.read(new int[] {0}, List.of(next));
          assertThat(logits.length).isEqualTo(t < 9 ? 2 : 1);
          assertClose(logits, 0, network, cut(one, 0, t + 1));
        }
        assertThat(decoder.shared(0, one)).isEqualTo(12);
        assertThat(decoder.shared(2, three)).isEqualTo(20);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void whatWasForgottenLeavesNothing(Kernels kernels) {
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), kernels)) {
      IncrementalDecoder decoder = network.decoder(new int[] {9, 9});
      int[] text = tokens(4, 9);
      decoder.read(new int[] {0, 1}, List.of(tokens(5, 9), cut(text, 0, 2)));
      decoder.shorten(0, 0);
      decoder.read(new int[] {0, 1}, List.of(cut(text, 0, 5), tokens(6, 7)));
      decoder.shorten(1, 2);
      float[][] logits = decoder.read(new int[] {1, 0}, List.of(cut(text, 2, 9), cut(text, 5, 9)));
      assertClose(logits, 0, network, text);
      assertClose(logits, 1, network, text);
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void lossesAreThoseOfWholeSequences(Kernels kernels) {
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), kernels)) {
      int[] text = tokens(1, 10);
      IncrementalDecoder decoder = network.decoder(new int[] {10, 3});
      List<float[]> none =
          decoder.losses(new int[] {0}, List.of(cut(text, 0, 4)), List.of(new int[] {I, I, I, I}));
      assertThat(none).containsExactly(new float[4]);
      List<float[]> losses =
          decoder.losses(
              new int[] {1, 0},
              List.of(cut(text, 0, 3), cut(text, 4, 9)),
              List.of(
                  new int[] {I, text[2], I}, new int[] {text[5], text[6], I, text[8], text[9]}));

      assertThat(losses.get(0)).containsSequence(0).hasSize(3);
      assertThat((double) losses.get(0)[1])
          .isCloseTo(loss(network, cut(text, 0, 3), 2), within(TOLERANCE));
      assertThat(losses.get(0)[2]).isZero();
      double sum = 0;
      for (int t : new int[] {5, 6, 8, 9}) {
        sum += loss(network, text, t);
        assertThat((double) losses.get(1)[t - 5])
            .isCloseTo(loss(network, text, t), within(TOLERANCE));
      }
      assertThat(losses.get(1)[2]).isZero();
      int[] labels = text.clone();
      Arrays.fill(labels, 0, 5, I);
      labels[7] = I;
      TokenBatch batch = TokenBatch.of(List.of(new Example(text, new int[text.length], labels)));
      assertThat(network.pass(batch, PassOptions.evaluation()).taskLoss())
          .isCloseTo(sum / 4, within(TOLERANCE));
    }
  }

  @Test
  void theSearchStageCanDecodeToo() {
    Backbone backbone = TinyModels.llama(1);
    NetworkDefinition definition =
        TinyModels.definition(
            backbone, Stage.SEARCH, TinyModels.uniform(backbone.config()), 0.1, 0.01);
    try (LoraMoeNetwork network =
        TinyModels.network(definition, backbone, KernelsUnderTest.any())) {
      int[] text = tokens(1, 6);
      IncrementalDecoder decoder = network.decoder(new int[] {6});
      decoder.read(new int[] {0}, List.of(cut(text, 0, 5)));
      // Another pass in between.
      network.pass(TinyModels.causal(3, 4), PassOptions.training(1));
      assertClose(decoder.read(new int[] {0}, List.of(cut(text, 5, 6))), 0, network, text);
    }
  }

  @Test
  void whatCannotBeRead() {
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), KernelsUnderTest.any());
        LoraMoeNetwork classifier = classifier()) {
      refused(
          "Cannot continue texts with a classifier: a causal language model is needed",
          () -> classifier.decoder(new int[] {3}));
      refused(
          "Cannot keep sequences of 33 tokens: the model has 32 positions",
          () -> network.decoder(new int[] {2, 33}));
      refused(
          "Cannot keep sequences of 0 tokens: the model has 32 positions",
          () -> network.decoder(new int[] {0}));
      IncrementalDecoder decoder = network.decoder(new int[] {3, 4});
      int[] pair = {0, 1};
      refused(
          "Cannot continue 2 sequences by 1 lists of tokens",
          () -> decoder.read(pair, List.of(new int[1])));
      refused(
          "Cannot continue 0 sequences by 0 lists of tokens",
          () -> decoder.read(new int[0], List.of()));
      refused(
          "Cannot continue a sequence twice at once: [1, 1]",
          () -> decoder.read(new int[] {1, 1}, List.of(new int[1], new int[1])));
      decoder.read(pair, List.of(new int[2], new int[2]));
      refused(
          "Cannot read 2 tokens after 2: the sequence has room for 3",
          () -> decoder.read(pair, List.of(new int[2], new int[2])));
      refused(
          "Cannot score 1 targets after 2 tokens",
          () -> decoder.losses(new int[] {1}, List.of(new int[2]), List.of(new int[1])));
      refused("Cannot shorten a sequence of 2 tokens to 3", () -> decoder.shorten(0, 3));
      network.decoder(new int[] {3});
      assertThatThrownBy(() -> decoder.read(new int[] {0}, List.of(new int[1])))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("Cannot read on: the network has opened another decoder since");
    }
  }

  private static LoraMoeNetwork classifier() {
    Backbone backbone = TinyModels.bert(1);
    return TinyModels.network(
        TinyModels.definition(
            backbone,
            Stage.FINE_TUNING,
            TinyModels.unequal(backbone.config(), Stage.FINE_TUNING),
            0,
            0),
        backbone,
        KernelsUnderTest.any());
  }

  private static void refused(String message, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }

  private static void assertClose(
      float[][] logits, int row, LoraMoeNetwork network, int[] sequence) {
    float[][] whole = network.logitRows(batch(sequence));
    for (int v = 0; v < VOCABULARY; v++) {
      assertThat((double) logits[row][v])
          .isCloseTo(whole[sequence.length - 1][v], within(TOLERANCE));
    }
  }

  /** {@code −log p} of token {@code t}. */
  private static double loss(LoraMoeNetwork network, int[] sequence, int t) {
    float[][] logits = network.logitRows(batch(sequence));
    double sum = 0;
    for (int v = 0; v < VOCABULARY; v++) {
      sum += Math.exp(logits[t - 1][v]);
    }
    return Math.log(sum) - logits[t - 1][sequence[t]];
  }

  private static TokenBatch batch(int[] tokens) {
    return TokenBatch.of(List.of(new Example(tokens, new int[tokens.length], tokens)));
  }

  private static int[] tokens(long seed, int length) {
    return new Random(seed).ints(length, 0, VOCABULARY).toArray();
  }

  private static int[] cut(int[] tokens, int from, int to) {
    return Arrays.copyOfRange(tokens, from, to);
  }
}
