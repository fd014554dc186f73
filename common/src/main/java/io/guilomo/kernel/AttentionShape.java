package io.guilomo.kernel;

/**
 * How attention is shaped.
 *
 * @param headDim features of one head
 * @param scale factor on the scores, usually {@code 1 / √headDim}
 * @param causal whether a position sees only itself and earlier ones
 * @param window positions a position sees, itself included; 0 for all. Needs {@code causal}
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
