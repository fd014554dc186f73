package io.guilomo.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class TestLearningRate {

  private static final Offset<Double> EXACT = Offset.offset(1e-15);

  @Test
  void constant() {
    LearningRate rate = LearningRate.constant(3e-4);
    assertThat(rate.at(0)).isEqualTo(3e-4);
    assertThat(rate.at(1_000_000_000_000L)).isEqualTo(3e-4);
  }

  @Test
  void warmUpThenDecay() {
    LearningRate rate = new LearningRate(1e-2, 4, 12);
    // Up by fifths, so that the first step has a rate and the fifth the peak; then down by eighths.
    double[] expected = {0.2, 0.4, 0.6, 0.8, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125};
    for (int step = 0; step < expected.length; step++) {
      assertThat(rate.at(step)).as("step %d", step).isCloseTo(1e-2 * expected[step], EXACT);
    }
  }

  @Test
  void noStepHasRateZero() {
    LearningRate rate = new LearningRate(1e-2, 4, 12);
    assertThat(rate.at(12)).as("one step more than planned").isCloseTo(1e-2 / 8, EXACT);
    assertThat(rate.at(1000)).isCloseTo(1e-2 / 8, EXACT);
    assertThat(new LearningRate(1e-2, 100, 3).at(2))
        .as("a run shorter than its warm-up")
        .isPositive();
    assertThat(new LearningRate(1e-2, 5, 5).at(5)).isPositive().isLessThanOrEqualTo(1e-2);
  }

  @Test
  void warmUpAlone() {
    LearningRate rate = new LearningRate(1, 1, 0);
    assertThat(rate.at(0)).isEqualTo(0.5);
    assertThat(rate.at(1)).isEqualTo(1);
    assertThat(rate.at(1000)).isEqualTo(1);
  }

  @Test
  void refusals() {
    assertThatThrownBy(() -> new LearningRate(0, 1, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot use a learning rate of 0.0 with 1 warm-up steps of 2");
    assertThatThrownBy(() -> LearningRate.constant(Double.NaN))
        .hasMessageContaining("Cannot use a learning rate of NaN");
    assertThatThrownBy(() -> new LearningRate(1e-3, -1, 2))
        .hasMessageContaining("-1 warm-up steps");
    assertThatThrownBy(() -> new LearningRate(1e-3, 1, -2)).hasMessageContaining("of -2");
  }
}
