package io.guilomo.spark.search;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TestSpectra {

  @Test
  void eigenvaluesAreSquaredSingularValuesInAscendingOrder() {
    // Rows of lengths 3 and 4, at right angles.
    float[] wide = {3, 0, 0, 0, 0, 4};
    assertThat(Spectra.eigenvalues(wide, 2, 3))
        .usingComparatorWithPrecision(1e-12)
        .containsExactly(9, 16);
    float[] tall = {3, 0, 0, 0, 0, 4};
    // Columns (3, 0, 0) and (0, 0, 4).
    assertThat(Spectra.eigenvalues(tall, 3, 2))
        .usingComparatorWithPrecision(1e-12)
        .containsExactly(9, 16);
    // WᵀW = [[2, 1], [1, 1]]: (3 ± √5) / 2.
    assertThat(Spectra.eigenvalues(new float[] {1, 0, 1, 1}, 2, 2))
        .usingComparatorWithPrecision(1e-12)
        .containsExactly((3 - Math.sqrt(5)) / 2, (3 + Math.sqrt(5)) / 2);
  }
}
