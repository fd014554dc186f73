package io.guilomo.spark.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class TestGapToFull {

  @Test
  void itsConfidenceIsStudents() {
    // 1 %, 2 % and 3 %: mean 2 %, deviation 1 %.
    GapToFull gap = GapToFull.of(new double[] {1.01, 2.04, 4.12}, new double[] {1, 2, 4});
    assertThat(gap.mean()).isCloseTo(0.02, within(1e-12));
    assertThat(gap.below(0.02)).isCloseTo(0.5, within(1e-6));
    // t = √3 with two degrees of freedom: 1/2 + t / (2 √(2 + t²)).
    assertThat(gap.below(0.03)).isCloseTo(0.5 + Math.sqrt(3) / (2 * Math.sqrt(5)), within(1e-6));
    assertThat(gap.below(0.01)).isCloseTo(0.5 - Math.sqrt(3) / (2 * Math.sqrt(5)), within(1e-6));
  }

  @Test
  void aSingleSeedHasNone() {
    GapToFull gap = GapToFull.of(new double[] {0.9}, new double[] {1});
    assertThat(gap.mean()).isCloseTo(-0.1, within(1e-12));
    assertThat(gap.below(0.5)).isNull();
  }
}
