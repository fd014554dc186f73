package io.guilomo.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Rotary position embedding and attention, forward and backward. */
public interface AttentionKernels {

  /**
   * Tokens of the longest sequences whose probabilities processors keep for the backward pass. It
   * computes those of longer ones again, block by block: a seventh product beside six, where what
   * is kept would grow with the square of the length and soon be most of what a layer keeps.
   */
  int LONGEST_KEPT = 512;

  /** Probabilities that processors keep of a sequence. */
  static long kept(AttentionShape shape, long length) {
    return length <= LONGEST_KEPT ? shape.heads() * length * length : 0;
  }

  /**
   * Rotates {@code heads} heads in place, half-split layout (arXiv 2104.09864): the first {@code
   * rotated} features of a head are rotated, {@code i} and {@code i + rotated/2} as a pair; the
   * others stay.
   *
   * @param x {@code [T, heads · headDim]}
   * @param positions of each token in its sequence, {@code [T]}
   * @param cosine {@code [maxPositions, rotated / 2]}, which may include a factor; {@code rotated ≤
   *     headDim}
   * @param sine {@code [maxPositions, rotated / 2]}, which may include the same factor
   * @param backward whether to multiply by the transposed matrices: rotate by the opposite angle
   *     and keep the factor
   */
  void rotate(
      INDArray x, int[] positions, int heads, INDArray cosine, INDArray sine, boolean backward);

  /**
   * Number of floats that {@link #attention} saves for the backward pass: the probabilities that
   * are {@link #kept} of each sequence, or others where all are recomputed; at least 1.
   */
  default long attentionState(AttentionShape shape, int[] starts) {
    long size = 0;
    for (int i = 1; i < starts.length; i++) {
      size += kept(shape, (long) starts[i] - starts[i - 1]);
    }
    return Math.max(1, size);
  }

  /**
   * Scaled dot-product attention inside each sequence; query head {@code h} reads key/value head
   * {@code h / (heads / keyValueHeads)}.
   *
   * @param query {@code [T, heads · headDim]}
   * @param key {@code [T, keyValueHeads · headDim]}
   * @param value {@code [T, keyValueHeads · headDim]}
   * @param state result, kept for the backward pass: a vector of at least {@link #attentionState}
   * @param result {@code [T, heads · headDim]}
   */
  void attention(
      AttentionShape shape,
      int[] starts,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray state,
      INDArray result);

  /**
   * Attention of the last tokens of sequences over cached keys and values. Computes the rows of the
   * new tokens only and saves nothing for a backward pass.
   *
   * @param shape causal
   * @param starts of the sequences' new tokens, {@code [sequences + 1]}
   * @param firstKeys row of each sequence's first token in {@code keys} and {@code values}; its
   *     other tokens follow in order; {@code [sequences]}
   * @param lengths tokens of each sequence, including the new ones; {@code [sequences]}
   * @param query of the new tokens, {@code [T, heads · headDim]}
   * @param keys {@code [rows, keyValueHeads · headDim]}
   * @param values {@code [rows, keyValueHeads · headDim]}
   * @param result {@code [T, heads · headDim]}
   */
  void cachedAttention(
      AttentionShape shape,
      int[] starts,
      int[] firstKeys,
      int[] lengths,
      INDArray query,
      INDArray keys,
      INDArray values,
      INDArray result);

  /**
   * Backward of {@link #attention}; writes {@code dQuery}, {@code dKey}, {@code dValue}.
   *
   * @param result of the forward pass
   * @param state of the forward pass
   */
  void attentionBackward(
      AttentionShape shape,
      int[] starts,
      INDArray dResult,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray result,
      INDArray state,
      INDArray dQuery,
      INDArray dKey,
      INDArray dValue);
}
