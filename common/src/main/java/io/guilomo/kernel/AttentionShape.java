package io.guilomo.kernel;

/**
 * Shape and mask of attention.
 *
 * @param headDim features of one head
 * @param scale factor on the scores, usually {@code 1 / √headDim}
 * @param causal whether a position attends only to itself and earlier positions
 * @param window number of positions that a position attends to, including itself; 0 for no limit.
 *     Requires {@code causal}
 */
public record AttentionShape(
    int heads, int keyValueHeads, int headDim, float scale, boolean causal, int window) {

  public AttentionShape {
    if (keyValueHeads < 1 || heads % keyValueHeads != 0) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot share %d key/value heads among %d query heads", keyValueHeads, heads));
    }
    if (window < 0 || (window > 0 && !causal)) {
      throw new IllegalArgumentException(
          String.format("Cannot use an attention window of %d, causal %s", window, causal));
    }
  }
}
