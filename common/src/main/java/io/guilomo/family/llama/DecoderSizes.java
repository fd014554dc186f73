package io.guilomo.family.llama;

import io.guilomo.network.PretrainedHead;
import java.io.Serializable;

/**
 * Sizes that every decoder has.
 *
 * @param intermediate inner width of the gated layers
 * @param headDim features of one attention head
 * @param maxPositions the longest sequence, in tokens
 * @param epsilon of the norms
 * @param head where the product with the vocabulary comes from
 * @param pretrainedHead for sequence classification; null if the checkpoint has none
 */
public record DecoderSizes(
    int hidden,
    int intermediate,
    int layers,
    int heads,
    int keyValueHeads,
    int headDim,
    int vocabulary,
    int maxPositions,
    float epsilon,
    VocabularyHead head,
    PretrainedHead pretrainedHead)
    implements Serializable {

  /** Where the product with the vocabulary comes from. */
  public enum VocabularyHead {
    /** A tensor of its own. */
    OWN,
    /** The transposed embedding. */
    TIED,
    /** Nowhere: the checkpoint is of a model with another head, or with none. */
    NONE
  }

  /** The same sizes with another number of positions. */
  public DecoderSizes withPositions(int positions) {
    return new DecoderSizes(
        hidden,
        intermediate,
        layers,
        heads,
        keyValueHeads,
        headDim,
        vocabulary,
        positions,
        epsilon,
        head,
        pretrainedHead);
  }
}
