package io.guilomo.plan;

/**
 * The Hill estimate of how heavy the tail of a weight's spectrum is: {@code PL_Alpha_Hill} of
 * AlphaLoRA (arXiv 2410.10054, eq. 3), with eigenvalues {@code λ} of {@code WᵀW} ascending and
 * {@code k = n / 2}:
 *
 * <pre>
 *   1 + k / Σ_{i=1..k} ln(λ_{n−i+1} / λ_{n−k})
 * </pre>
 */
public final class HeavyTail {

  private HeavyTail() {}

  /**
   * @param eigenvalues ascending, at least two
   * @throws IllegalArgumentException if the upper half is not positive, or all the same
   */
  public static double exponent(double[] eigenvalues) {
    int n = eigenvalues.length;
    int k = n / 2;
    if (k == 0 || !(eigenvalues[n - k - 1] > 0)) {
      throw new IllegalArgumentException(
          "Cannot estimate the tail of %d eigenvalues, the upper half from %s"
              .formatted(n, k == 0 ? "none" : String.valueOf(eigenvalues[n - k - 1])));
    }
    double sum = 0;
    for (int i = 1; i <= k; i++) {
      sum += Math.log(eigenvalues[n - i] / eigenvalues[n - k - 1]);
    }
    if (!(sum > 0) || !Double.isFinite(sum)) {
      throw new IllegalArgumentException(
          "Cannot estimate the tail of %d eigenvalues: the upper half are equal or not finite"
              .formatted(n));
    }
    return 1 + k / sum;
  }
}
