package io.guilomo.spark.finetune;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.FinetuneConfig.Criterion;
import io.guilomo.spark.round.ValidationResult;
import org.junit.jupiter.api.Test;

class TestEarlyStopping {

  private FinetuneState state = FinetuneState.start(measured(9, 0));
  private int step;

  @Test
  void stopsAfterSoManyLossesThatAreNotLower() {
    FinetuneState.EarlyStopping stopping = new FinetuneState.EarlyStopping(Criterion.LOSS, 2);
    assertThat(better(stopping, measured(0.5, 0.1))).isTrue();
    assertThat(better(stopping, measured(0.5, 0.9))).isFalse();
    assertThat(stopping.stops(state)).isFalse();
    assertThat(better(stopping, measured(0.4, 0.1))).isTrue();
    assertThat(better(stopping, measured(0.6, 0.1))).isFalse();
    assertThat(stopping.stops(state)).isFalse();
    assertThat(better(stopping, measured(0.45, 0.1))).isFalse();
    assertThat(stopping.stops(state)).isTrue();
    assertThat(state.best()).isEqualTo(measured(0.4, 0.1));
    assertThat(state.bestStep()).isEqualTo(3);
    assertThat(state.last()).isEqualTo(measured(0.45, 0.1));
  }

  @Test
  void byAccuracyTheHigherIsTheBetter() {
    FinetuneState.EarlyStopping stopping = new FinetuneState.EarlyStopping(Criterion.ACCURACY, 1);
    assertThat(better(stopping, measured(0.5, 0.7))).isTrue();
    assertThat(better(stopping, measured(0.8, 0.75))).isTrue();
    assertThat(stopping.stops(state)).isFalse();
    assertThat(better(stopping, measured(0.1, 0.75))).isFalse();
    assertThat(stopping.stops(state)).isTrue();
  }

  @Test
  void withoutPatienceItNeverStops() {
    FinetuneState.EarlyStopping stopping = new FinetuneState.EarlyStopping(Criterion.LOSS, 0);
    assertThat(better(stopping, measured(0.5, 0))).isTrue();
    for (int i = 0; i < 50; i++) {
      better(stopping, measured(1 + i, 0));
    }
    assertThat(stopping.stops(state)).isFalse();
  }

  @Test
  void whatItIsJudgedByPassesThroughJson() {
    FinetuneState.EarlyStopping stopping = new FinetuneState.EarlyStopping(Criterion.LOSS, 2);
    state = state.plus(123, 4.5, "digest");
    better(stopping, measured(0.1 + 0.2, 1.0 / 3));
    better(stopping, measured(0.7, 0.1));
    assertThat(FinetuneState.fromJson("state", state.toJson())).isEqualTo(state);
  }

  private boolean better(FinetuneState.EarlyStopping stopping, ValidationResult measured) {
    boolean better = stopping.better(measured, state.best());
    state = state.validated(measured, ++step, better);
    return better;
  }

  private static ValidationResult measured(double loss, double accuracy) {
    return new ValidationResult(loss, accuracy, 10);
  }
}
