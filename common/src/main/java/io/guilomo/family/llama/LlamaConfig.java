package io.guilomo.family.llama;

import io.guilomo.family.llama.DecoderSizes.VocabularyHead;
import io.guilomo.kernel.Activation;
import io.guilomo.network.Rope;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * Shape of a decoder whose blocks are LLaMA's, or differ from them by an option.
 *
 * @param family that reads it
 * @param activation of the gate
 * @param rope how positions turn into angles
 * @param windows of the layers: tokens that a position looks back at, itself included; 0 for all
 */
public record LlamaConfig(
    String family,
    DecoderSizes sizes,
    Activation activation,
    Rope rope,
    List<Integer> windows,
    Set<Option> options)
    implements Decoder {

  static final String FAMILY = "llama";

  /** What blocks may have beside LLaMA's own tensors. */
  public enum Option {
    /** Biases of q, k and v. */
    QKV_BIAS {
      @Override
      long elements(Decoder config) {
        return config.queryWidth() + 2L * config.keyWidth();
      }
    },
    /** A bias of o. */
    O_BIAS {
      @Override
      long elements(Decoder config) {
        return config.hidden();
      }
    },
    /** Biases of gate, up and down. */
    MLP_BIAS {
      @Override
      long elements(Decoder config) {
        return 2L * config.sizes().intermediate() + config.hidden();
      }
    },
    /** Norms of the queries and the keys of each head. */
    HEAD_NORMS {
      @Override
      long elements(Decoder config) {
        return 2L * config.headDim();
      }
    };

    /** Elements in a block. */
    abstract long elements(Decoder config);
  }

  public LlamaConfig {
    windows = List.copyOf(windows);
    options = Set.copyOf(options);
  }

  /** A LLaMA without options, with one window for all layers, 0 for none. */
  public LlamaConfig(
      int hidden,
      int intermediate,
      int layers,
      int heads,
      int keyValueHeads,
      int headDim,
      int vocabulary,
      int maxPositions,
      float epsilon,
      Rope rope,
      int slidingWindow,
      boolean tiedHead) {
    this(
        FAMILY,
        new DecoderSizes(
            hidden,
            intermediate,
            layers,
            heads,
            keyValueHeads,
            headDim,
            vocabulary,
            maxPositions,
            epsilon,
            tiedHead ? VocabularyHead.TIED : VocabularyHead.OWN,
            null),
        Activation.SILU,
        rope,
        Collections.nCopies(layers, slidingWindow),
        Set.of());
  }

  @Override
  public Rope rope(int layer) {
    return rope;
  }

  @Override
  public int window(int layer) {
    return windows.get(layer);
  }

  @Override
  public long extraParameters() {
    return layers() * options.stream().mapToLong(option -> option.elements(this)).sum();
  }

  @Override
  public boolean headNorms() {
    return options.contains(Option.HEAD_NORMS);
  }
}
