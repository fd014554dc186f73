package io.guilomo.network;

import io.guilomo.family.FrozenMemory;
import io.guilomo.family.FrozenTensors.Piece;
import io.guilomo.family.ModelReader;
import io.guilomo.family.gemma.GemmaConfig;
import io.guilomo.family.llama.Decoder;
import io.guilomo.family.llama.DecoderSizes;
import io.guilomo.family.llama.DecoderSizes.VocabularyHead;
import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.family.phi.PhiConfig;
import io.guilomo.kernel.Activation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;

/** Random decoders of two layers with all that families add to LLaMA's. */
public final class TinyDecoders {

  private static final Rope PLAIN = new Rope(1000, null);

  private TinyDecoders() {}

  private static DecoderSizes sizes(int headDim, VocabularyHead head) {
    return new DecoderSizes(16, 24, 2, 4, 2, headDim, 11, 32, 1e-6f, head, null);
  }

  /** A LLaMA with every option and a window in its upper layer. */
  public static Backbone options(long seed) {
    return of(
        new LlamaConfig(
            "qwen3",
            sizes(6, VocabularyHead.OWN),
            Activation.GELU,
            PLAIN,
            List.of(0, 3),
            EnumSet.allOf(LlamaConfig.Option.class)),
        seed);
  }

  /** A Gemma with everything that Gemma 2 or 3 has. */
  public static Backbone gemma(long seed) {
    return of(
        new GemmaConfig(
            "gemma3",
            sizes(6, VocabularyHead.TIED),
            Activation.GELU_TANH,
            List.of(3, 0),
            PLAIN,
            new Rope(50, null),
            5,
            1.5f,
            2,
            true,
            true,
            Decoder.PATHS),
        seed);
  }

  /** A Phi that rotates half of each head. */
  public static Backbone phi(long seed) {
    return phi(seed, PLAIN);
  }

  /** A Phi that rotates half of each head of 8 features. */
  static Backbone phi(long seed, Rope rope) {
    return of(new PhiConfig(sizes(8, VocabularyHead.OWN), Activation.SILU, rope, 4, 4), seed);
  }

  private static Backbone of(BackboneConfig config, long seed) {
    Random random = new Random(seed);
    try {
      return ModelReader.make(
          config,
          (piece, target, digest) -> {
            float[] values = values(piece, random);
            target.put(0, values, values.length);
          },
          FrozenMemory.host());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** About the size that keeps the states as large as they come in. */
  private static float[] values(Piece piece, Random random) {
    long[] shape = piece.shape();
    double deviation = shape.length == 1 ? 0.1 : 1 / Math.sqrt(shape[1]);
    double mean = piece.name().contains("norm") ? 1 : 0;
    float[] values =
        new float[Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact))];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (mean + deviation * random.nextGaussian());
    }
    return values;
  }
}
