package io.guilomo.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.FinetuneConfig.Criterion;
import io.guilomo.spark.training.ValidationLoss;
import org.junit.jupiter.api.Test;

class TestEarlyStopping {

  @Test
  void stopsAfterSoManyLossesThatAreNotLower() {
    EarlyStopping stopping = new EarlyStopping(Criterion.LOSS, 2);
    assertThat(stopping.add(measured(0.5, 0.1))).isTrue();
    assertThat(stopping.add(measured(0.5, 0.9))).isFalse();
    assertThat(stopping.stops()).isFalse();
    assertThat(stopping.add(measured(0.4, 0.1))).isTrue();
    assertThat(stopping.add(measured(0.6, 0.1))).isFalse();
    assertThat(stopping.stops()).isFalse();
    assertThat(stopping.add(measured(0.45, 0.1))).isFalse();
    assertThat(stopping.stops()).isTrue();
  }

  @Test
  void byAccuracyTheHigherIsTheBetter() {
    EarlyStopping stopping = new EarlyStopping(Criterion.ACCURACY, 1);
    assertThat(stopping.add(measured(0.5, 0.7))).isTrue();
    assertThat(stopping.add(measured(0.8, 0.75))).isTrue();
    assertThat(stopping.stops()).isFalse();
    assertThat(stopping.add(measured(0.1, 0.75))).isFalse();
    assertThat(stopping.stops()).isTrue();
  }

  @Test
  void withoutPatienceItNeverStops() {
    EarlyStopping stopping = new EarlyStopping(Criterion.LOSS, 0);
    assertThat(stopping.add(measured(0.5, 0))).isTrue();
    for (int i = 0; i < 50; i++) {
      stopping.add(measured(1 + i, 0));
    }
    assertThat(stopping.stops()).isFalse();
  }

  private static ValidationLoss.Measured measured(double loss, double accuracy) {
    return new ValidationLoss.Measured(loss, accuracy, 10);
  }
}
