package io.guilomo.plan;

import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.QRDecomposition;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.SingularValueDecomposition;

/**
 * Squared singular values of a product {@code B A} of rank {@code r}, without the product: with
 * {@code B = Q R} and {@code Aᵀ = Q' R'} they are those of {@code R R'ᵀ [r, r]} (as in PARA, arXiv
 * 2604.27796).
 */
public final class LowRankSpectrum {

  private LowRankSpectrum() {}

  /**
   * @param b {@code [out][r]}
   * @param aTransposed {@code Aᵀ [in][r]}
   * @return the energies, descending, {@code [r]}; their sum is the squared Frobenius norm
   */
  public static double[] energies(double[][] b, double[][] aTransposed) {
    RealMatrix core = triangle(b).multiply(triangle(aTransposed).transpose());
    double[] singular = new SingularValueDecomposition(core).getSingularValues();
    double[] energies = new double[b[0].length];
    for (int i = 0; i < singular.length; i++) {
      energies[i] = singular[i] * singular[i];
    }
    return energies;
  }

  /** {@code R [min(rows, r), r]} of a QR decomposition. */
  private static RealMatrix triangle(double[][] tall) {
    int ranks = tall[0].length;
    RealMatrix r = new QRDecomposition(new Array2DRowRealMatrix(tall, false)).getR();
    return r.getSubMatrix(0, Math.min(tall.length, ranks) - 1, 0, ranks - 1);
  }
}
