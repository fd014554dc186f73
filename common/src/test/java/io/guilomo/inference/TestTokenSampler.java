package io.guilomo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Set;
import org.junit.jupiter.api.Test;

class TestTokenSampler {

  private static final int DRAWS = 20_000;

  /** Probabilities 0.1, 0.4, 0.05, 0.25, 0.2. */
  private static final float[] LOGITS = {
    (float) Math.log(0.1),
    (float) Math.log(0.4),
    (float) Math.log(0.05),
    (float) Math.log(0.25),
    (float) Math.log(0.2)
  };

  @Test
  void theFirstOfTheLikeliest() {
    TokenSampler sampler = sampler(0, 1, 0);
    assertThat(sampler.choose(LOGITS, 0)).isEqualTo(1);
    assertThat(sampler.choose(new float[] {-3, -1, -2, -1}, 5)).isEqualTo(1);
  }

  @Test
  void tokensAreAsFrequentAsLikely() {
    shares(sampler(1, 1, 0), 0.1, 0.4, 0.05, 0.25, 0.2);
  }

  @Test
  void temperatureFlattens() {
    double sum = 0;
    double[] expected = {0.1, 0.4, 0.05, 0.25, 0.2};
    for (int i = 0; i < 5; i++) {
      expected[i] = Math.sqrt(expected[i]);
      sum += expected[i];
    }
    for (int i = 0; i < 5; i++) {
      expected[i] /= sum;
    }
    shares(sampler(2, 1, 0), expected);
  }

  @Test
  void theLikeliestFew() {
    shares(sampler(1, 1, 2), 0, 0.4 / 0.65, 0, 0.25 / 0.65, 0);
    shares(sampler(1, 1, 1), 0, 1, 0, 0, 0);
    shares(sampler(1, 1, 9), 0.1, 0.4, 0.05, 0.25, 0.2);
  }

  @Test
  void theLikeliestShare() {
    shares(sampler(1, 0.39, 0), 0, 1, 0, 0, 0);
    shares(sampler(1, 0.6, 0), 0, 0.4 / 0.65, 0, 0.25 / 0.65, 0);
    shares(sampler(1, 0.9, 0), 0.1 / 0.95, 0.4 / 0.95, 0, 0.25 / 0.95, 0.2 / 0.95);
    // Of the two most likely tokens, the first has a share of 0.62.
    shares(sampler(1, 0.6, 2), 0, 1, 0, 0, 0);
  }

  @Test
  void amongEqualsTheLowestTokensStay() {
    float[] logits = {-1, 0, -0f, -5, 0};
    TokenSampler sampler = sampler(1, 1, 2);
    for (int i = 0; i < 200; i++) {
      assertThat(sampler.choose(logits, i)).isBetween(1, 2);
    }
  }

  @Test
  void hugeAndTinyNumbers() {
    assertThat(sampler(1e-300, 1, 0).choose(LOGITS, 0)).isEqualTo(1);
    assertThat(sampler(1, 0.5, 0).choose(new float[] {3e38f, -3e38f}, 0)).isZero();
    assertThatThrownBy(() -> sampler(0, 1, 0).choose(new float[] {0, Float.NaN}, 0))
        .isInstanceOf(ArithmeticException.class)
        .hasMessage("Cannot choose a token: the logit of token 1 is NaN");
  }

  @Test
  void seedAndPromptDecide() {
    int same = 0;
    int other = 0;
    TokenSampler sampler = sampler(1, 1, 0);
    TokenSampler prompt =
        new TokenSampler(new GenerationSettings(1, 1, 1, 0, 3, Set.of()), new int[] {4, 6});
    for (int i = 0; i < 1000; i++) {
      same += sampler.choose(LOGITS, i) == sampler(1, 1, 0).choose(LOGITS, i) ? 1 : 0;
      other += sampler.choose(LOGITS, i) == prompt.choose(LOGITS, i) ? 1 : 0;
    }
    assertThat(same).isEqualTo(1000);
    // Σ p² = 0.275.
    assertThat(other).isBetween(200, 350);
  }

  private static void shares(TokenSampler sampler, double... expected) {
    int[] counts = new int[expected.length];
    for (int i = 0; i < DRAWS; i++) {
      counts[sampler.choose(LOGITS, i)]++;
    }
    for (int i = 0; i < counts.length; i++) {
      // Five deviations at most.
      double tolerance = 5 * Math.sqrt(expected[i] * (1 - expected[i]) / DRAWS);
      assertThat((double) counts[i] / DRAWS).isCloseTo(expected[i], within(tolerance));
    }
  }

  private static TokenSampler sampler(double temperature, double topP, int topK) {
    return new TokenSampler(
        new GenerationSettings(1, temperature, topP, topK, 3, Set.of()), new int[] {4, 5});
  }
}
