package io.guilomo.kernel;

/**
 * Shape and mask of attention.
 *
 * @param headDim features of one head
 * @param scale factor on the scores, usually {@code 1 / √headDim}
 * @param causal whether a position attends only to itself and earlier positions
 * @param window limit on the distance: position {@code i} attends to {@code j} only if {@code |i −
 *     j| < window}; 0 for no limit
 * @param softcap bound {@code c} on the scores: each scaled score {@code s} becomes {@code c ·
 *     tanh(s / c)} before the softmax (arXiv 2408.00118); 0 for none
 */
public record AttentionShape(
    int heads,
    int keyValueHeads,
    int headDim,
    float scale,
    boolean causal,
    int window,
    float softcap) {

  public AttentionShape {
    if (keyValueHeads < 1 || heads % keyValueHeads != 0) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot share %d key/value heads among %d query heads", keyValueHeads, heads));
    }
    if (window < 0) {
      throw new IllegalArgumentException(
          String.format("Cannot use an attention window of %d: it must be positive, or 0", window));
    }
    if (!(softcap >= 0 && softcap < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          String.format("Cannot cap attention scores at %s: it must be positive, or 0", softcap));
    }
  }

  /** Without a bound on the scores. */
  public AttentionShape(
      int heads, int keyValueHeads, int headDim, float scale, boolean causal, int window) {
    this(heads, keyValueHeads, headDim, scale, causal, window, 0);
  }

  public boolean capped() {
    return softcap > 0;
  }

  /** The first position that position {@code i} attends to. */
  public int firstSeen(int i) {
    return window == 0 ? 0 : Math.max(0, i - window + 1);
  }

  /** One more than the last of {@code n} positions that position {@code i} attends to. */
  public int endSeen(int i, int n) {
    if (causal) {
      return i + 1;
    }
    return window == 0 || window >= n - i ? n : i + window;
  }
}
