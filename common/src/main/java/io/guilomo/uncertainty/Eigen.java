package io.guilomo.uncertainty;

import java.util.Arrays;
import org.bytedeco.openblas.global.openblas;

/**
 * The eigenvalues of a symmetric matrix that has no negative ones, descending, and eigenvectors of
 * the largest.
 *
 * @param values {@code [n]}; those that rounding made negative are 0
 * @param vectors {@code [kept][n]}, an eigenvector a row
 */
record Eigen(double[] values, double[][] vectors) {

  /**
   * @param most eigenvectors to keep
   */
  static Eigen of(double[][] matrix, int most) {
    int n = matrix.length;
    double[] columns = new double[Math.multiplyExact(n, n)];
    for (int i = 0; i < n; i++) {
      System.arraycopy(matrix[i], 0, columns, i * n, n);
    }
    double[] ascending = new double[n];
    int info =
        openblas.LAPACKE_dsyevd(
            openblas.LAPACK_COL_MAJOR, (byte) 'V', (byte) 'U', n, columns, n, ascending);
    if (info != 0) {
      throw new IllegalStateException(
          "Cannot find the eigenvalues of a matrix [%d, %d]: LAPACK's dsyevd says %d"
              .formatted(n, n, info));
    }
    double[] values = new double[n];
    double[][] vectors = new double[Math.min(most, n)][];
    for (int i = 0; i < n; i++) {
      int from = n - 1 - i;
      values[i] = Math.max(0, ascending[from]);
      if (i < vectors.length) {
        vectors[i] = Arrays.copyOfRange(columns, from * n, (from + 1) * n);
      }
    }
    return new Eigen(values, vectors);
  }
}
