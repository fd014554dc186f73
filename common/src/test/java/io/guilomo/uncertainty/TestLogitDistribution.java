package io.guilomo.uncertainty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TestLogitDistribution {

  private static final double[][] AXES =
      Eigen.of(new double[][] {{2, -0.4, 0.1}, {-0.4, 1, 0.3}, {0.1, 0.3, 3}}, 3).vectors();

  @Test
  void withoutVarianceItIsTheSoftmax() {
    double[] logits = {1, -0.5, 0.2};
    LogitDistribution sure = new LogitDistribution(logits, AXES, new double[3]);
    assertThat(sure.probit()).containsExactly(Probabilities.softmax(logits), within(1e-12));
    assertThat(sure.sampled(LogitDistribution.normals(3, 3, 1)))
        .containsExactly(Probabilities.softmax(logits), within(1e-12));
  }

  @Test
  void theProbitApproximationIsCloseToSamples() {
    double[][] normals = LogitDistribution.normals(40_000, 3, 5);
    for (double[] variances : new double[][] {{0.1, 0.5, 0.2}, {2, 1, 0.5}, {4, 0, 9}}) {
      LogitDistribution logits =
          new LogitDistribution(new double[] {1.5, -0.5, 0.2}, AXES, variances);
      assertThat(logits.probit()).containsExactly(logits.sampled(normals), within(0.07));
    }
  }

  @Test
  void ofTwoClassesItIsMackaysProbit() {
    double[][] axes = {{Math.sqrt(0.5), -Math.sqrt(0.5)}, {Math.sqrt(0.5), Math.sqrt(0.5)}};
    // The second axis moves both logits alike, which changes no probability.
    LogitDistribution logits =
        new LogitDistribution(new double[] {1, -1}, axes, new double[] {1.5, 100});
    double expected = 1 / (1 + Math.exp(-2 / Math.sqrt(1 + Math.PI / 8 * 3)));
    assertThat(logits.probit()[0]).isCloseTo(expected, within(1e-12));
  }

  @Test
  void theSeedDecidesTheSamples() {
    assertThat(LogitDistribution.normals(2, 3, 7))
        .isDeepEqualTo(LogitDistribution.normals(2, 3, 7));
    assertThat(LogitDistribution.normals(2, 3, 7)[0])
        .isNotEqualTo(LogitDistribution.normals(2, 3, 8)[0]);
  }

  /** Answers drawn at a temperature tell it. */
  @Test
  void aTemperatureIsFound() {
    Random random = new Random(4);
    List<double[]> probabilities = new ArrayList<>();
    List<Integer> right = new ArrayList<>();
    for (int n = 0; n < 20_000; n++) {
      double[] logits = {2 * random.nextGaussian(), 2 * random.nextGaussian(), 0};
      double[] plain = Probabilities.softmax(logits);
      double[] drawn = Probabilities.tempered(plain, 2.5);
      double at = random.nextDouble();
      probabilities.add(plain);
      right.add(at < drawn[0] ? 0 : at < drawn[0] + drawn[1] ? 1 : 2);
    }
    assertThat(Temperature.fit(probabilities, right)).isBetween(2.4, 2.6);
    assertThat(Probabilities.tempered(new double[] {0, 1}, 2))
        .containsExactly(new double[] {0, 1}, within(1e-100));
  }

  @Test
  void temperaturesAreFinite() {
    double[] sure = {0.9, 0.1};
    for (int records : new int[] {1, 1000}) {
      double temperature =
          Temperature.fit(Collections.nCopies(records, sure), Collections.nCopies(records, 0));
      // β − 1 = n (l₀ − l₁) / (1 + 9^β), by hand.
      double beta = 1 / temperature;
      assertThat(beta - 1)
          .isCloseTo(records * Math.log(9) / (1 + Math.pow(9, beta)), within(1e-6))
          .isBetween(0.1, 3.0);
    }
    assertThat(Temperature.fit(List.of(sure), List.of(1))).isCloseTo(1e3, within(1e-9));
    assertThatThrownBy(() -> Temperature.fit(List.of(), List.of()))
        .hasMessage("Cannot fit a temperature to no records with a right answer");
  }
}
