package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.SingularValueDecomposition;
import org.junit.jupiter.api.Test;

class TestLowRankSpectrum {

  @Test
  void orthogonalDirectionsHaveTheProductsOfTheirLengths() {
    // B A = 3·2 e1 f2ᵀ + 1·4 e3 f1ᵀ: singular values 6 and 4.
    double[][] b = {{3, 0}, {0, 0}, {0, 1}};
    double[][] aTransposed = {{0, 4}, {2, 0}, {0, 0}, {0, 0}};
    assertThat(LowRankSpectrum.energies(b, aTransposed))
        .usingComparatorWithPrecision(1e-12)
        .containsExactly(36, 16);
  }

  @Test
  void untrainedAndRepeatedDirectionsHaveNoEnergy() {
    assertThat(LowRankSpectrum.energies(new double[5][2], random(4, 2))).containsExactly(0, 0);
    double[][] b = {{1, 1}, {2, 2}, {2, 2}};
    double[][] aTransposed = {{1, 1}, {0, 0}};
    // Both ranks are the same direction: (2 · (1, 2, 2))² = 36.
    assertThat(LowRankSpectrum.energies(b, aTransposed))
        .usingComparatorWithPrecision(1e-12)
        .containsExactly(36, 0);
  }

  @Test
  void theyAreThoseOfTheWholeProduct() {
    for (int[] shape : new int[][] {{9, 7, 3}, {3, 20, 4}, {6, 2, 5}, {1, 1, 1}}) {
      double[][] b = random(shape[0], shape[2]);
      double[][] aTransposed = random(shape[1], shape[2]);
      RealMatrix product =
          new Array2DRowRealMatrix(b).multiply(new Array2DRowRealMatrix(aTransposed).transpose());
      double[] expected = new double[shape[2]];
      double[] singular = new SingularValueDecomposition(product).getSingularValues();
      for (int i = 0; i < Math.min(expected.length, singular.length); i++) {
        expected[i] = singular[i] * singular[i];
      }
      double[] actual = LowRankSpectrum.energies(b, aTransposed);
      assertThat(actual).usingComparatorWithPrecision(1e-9).containsExactly(expected);
      assertThat(Arrays.stream(actual).sum())
          .isCloseTo(Math.pow(product.getFrobeniusNorm(), 2), within(1e-9));
    }
  }

  private static double[][] random(int rows, int columns) {
    Random random = new Random(31L * rows + columns);
    double[][] values = new double[rows][columns];
    for (double[] row : values) {
      Arrays.setAll(row, i -> random.nextGaussian());
    }
    return values;
  }
}
