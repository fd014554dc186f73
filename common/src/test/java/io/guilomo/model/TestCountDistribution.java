package io.guilomo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

class TestCountDistribution {

  @Test
  void survivalIsTheSumOfTheProbabilitiesFromThere() {
    // π = 1/8, 5/8, 2/8 over the counts 1 to 3.
    float[] logits = {9, (float) Math.log(1), (float) Math.log(5), (float) Math.log(2), 9};
    CountDistribution rank = new CountDistribution(logits, 1, 3, 1);
    assertThat(rank.probability(1)).isCloseTo(0.625, within(1e-7));
    assertThat(rank.survival(0)).isEqualTo(1);
    assertThat(rank.survival(1)).isCloseTo(0.875, within(1e-7));
    assertThat(rank.survival(2)).isCloseTo(0.25, within(1e-7));
    assertThat(rank.median()).isEqualTo(2);
    // The counts 2 and 3 alone.
    CountDistribution experts = new CountDistribution(logits, 1, 3, 2);
    assertThat(experts.probability(0)).isZero();
    assertThat(experts.survival(1)).isEqualTo(1);
    assertThat(experts.survival(2)).isCloseTo(2.0 / 7, within(1e-7));
    assertThat(experts.logSurvival(2)).isCloseTo(Math.log(2.0 / 7), within(1e-7));
    assertThat(experts.median()).isEqualTo(2);
  }

  @Test
  void equalLogitsHaveTheirMedianInTheMiddle() {
    assertThat(new CountDistribution(new float[8], 0, 8, 1).median()).isEqualTo(5);
    assertThat(new CountDistribution(new float[8], 0, 8, 2).median()).isEqualTo(5);
    assertThat(new CountDistribution(new float[1], 0, 1, 1).survival(0)).isEqualTo(1);
    assertThat(new CountDistribution(new float[2], 0, 2, 2).median()).isEqualTo(2);
  }

  @Test
  void nothingOverflows() {
    float[] logits = {3e4f, -3e4f, -3e4f, 3e4f, -3e4f};
    CountDistribution distribution = new CountDistribution(logits, 0, 5, 1);
    assertThat(distribution.survival(3)).isCloseTo(0.5, within(1e-12));
    assertThat(distribution.survival(4)).isZero();
    assertThat(distribution.logSurvival(4)).isCloseTo(-6e4 - Math.log(2), within(1e-6));
    float[] gradient = new float[5];
    distribution.logBackward(new float[] {1, 1, 1, 1, 1}, 0, gradient);
    for (float value : gradient) {
      assertThat(value).isFinite();
    }
  }

  @Test
  void gradientsAreExact() {
    Random random = new Random(3);
    for (int least = 1; least <= 2; least++) {
      float[] logits = new float[7];
      float[] d = new float[7];
      for (int i = 0; i < 7; i++) {
        logits[i] = (float) (2 * random.nextGaussian());
        d[i] = (float) random.nextGaussian();
      }
      float[] gradient = new float[7];
      float[] logGradient = new float[7];
      CountDistribution at = new CountDistribution(logits, 1, 6, least);
      at.backward(d, 1, gradient);
      at.logBackward(d, 1, logGradient);
      assertThat(gradient[0]).as("outside").isZero();
      for (int j = 1; j < 7; j++) {
        int count = least;
        assertThat((double) gradient[j])
            .isCloseTo(slope(logits, j, d, count, Math::exp), within(1e-4));
        assertThat((double) logGradient[j])
            .isCloseTo(slope(logits, j, d, count, x -> x), within(1e-4));
      }
    }
  }

  private static double slope(
      float[] logits, int j, float[] d, int least, DoubleUnaryOperator ofLogSurvival) {
    float step = 1f / 64;
    double difference = 0;
    for (int sign = -1; sign <= 1; sign += 2) {
      float[] moved = logits.clone();
      moved[j] += sign * step;
      CountDistribution there = new CountDistribution(moved, 1, 6, least);
      for (int i = 0; i < 6; i++) {
        difference += sign * d[i + 1] * ofLogSurvival.applyAsDouble(there.logSurvival(i));
      }
    }
    return difference / (2 * step);
  }

  @Test
  void aRowShorterThanItsLeastCountIsRefused() {
    assertThatThrownBy(() -> new CountDistribution(new float[1], 0, 1, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot choose among the counts from 2 to 1");
  }
}
