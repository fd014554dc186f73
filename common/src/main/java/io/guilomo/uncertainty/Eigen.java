package io.guilomo.uncertainty;

import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.EigenDecomposition;

/**
 * The eigenvalues of a symmetric matrix that has no negative ones, descending, and its
 * eigenvectors.
 *
 * @param values {@code [n]}; those that rounding made negative are 0
 * @param vectors {@code [n][n]}, an eigenvector a row
 */
record Eigen(double[] values, double[][] vectors) {

  static Eigen of(double[][] matrix) {
    EigenDecomposition found =
        new EigenDecomposition(new Array2DRowRealMatrix(matrix, /* copyArray= */ false));
    double[] values = found.getRealEigenvalues();
    double[][] vectors = new double[values.length][];
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.max(0, values[i]);
      vectors[i] = found.getEigenvector(i).toArray();
    }
    return new Eigen(values, vectors);
  }
}
