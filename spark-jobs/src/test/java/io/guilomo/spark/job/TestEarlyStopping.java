package io.guilomo.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.FinetuneConfig.Criterion;
import io.guilomo.spark.training.ValidationLoss.Measured;
import org.junit.jupiter.api.Test;

class TestEarlyStopping {

  private FinetuneProgress progress = FinetuneProgress.begin(measured(9, 0));
  private int step;

  @Test
  void stopsAfterSoManyLossesThatAreNotLower() {
    EarlyStopping stopping = new EarlyStopping(Criterion.LOSS, 2);
    assertThat(better(stopping, measured(0.5, 0.1))).isTrue();
    assertThat(better(stopping, measured(0.5, 0.9))).isFalse();
    assertThat(stopping.stops(progress)).isFalse();
    assertThat(better(stopping, measured(0.4, 0.1))).isTrue();
    assertThat(better(stopping, measured(0.6, 0.1))).isFalse();
    assertThat(stopping.stops(progress)).isFalse();
    assertThat(better(stopping, measured(0.45, 0.1))).isFalse();
    assertThat(stopping.stops(progress)).isTrue();
    assertThat(progress.best()).isEqualTo(measured(0.4, 0.1));
    assertThat(progress.bestStep()).isEqualTo(3);
    assertThat(progress.last()).isEqualTo(measured(0.45, 0.1));
  }

  @Test
  void byAccuracyTheHigherIsTheBetter() {
    EarlyStopping stopping = new EarlyStopping(Criterion.ACCURACY, 1);
    assertThat(better(stopping, measured(0.5, 0.7))).isTrue();
    assertThat(better(stopping, measured(0.8, 0.75))).isTrue();
    assertThat(stopping.stops(progress)).isFalse();
    assertThat(better(stopping, measured(0.1, 0.75))).isFalse();
    assertThat(stopping.stops(progress)).isTrue();
  }

  @Test
  void withoutPatienceItNeverStops() {
    EarlyStopping stopping = new EarlyStopping(Criterion.LOSS, 0);
    assertThat(better(stopping, measured(0.5, 0))).isTrue();
    for (int i = 0; i < 50; i++) {
      better(stopping, measured(1 + i, 0));
    }
    assertThat(stopping.stops(progress)).isFalse();
  }

  @Test
  void whatItIsJudgedByPassesThroughJson() {
    EarlyStopping stopping = new EarlyStopping(Criterion.LOSS, 2);
    progress = progress.plus(123, 4.5, "digest");
    better(stopping, measured(0.1 + 0.2, 1.0 / 3));
    better(stopping, measured(0.7, 0.1));
    assertThat(FinetuneProgress.fromJson("progress", progress.toJson())).isEqualTo(progress);
  }

  private boolean better(EarlyStopping stopping, Measured measured) {
    boolean better = stopping.better(measured, progress.best());
    progress = progress.validated(measured, ++step, better);
    return better;
  }

  private static Measured measured(double loss, double accuracy) {
    return new Measured(loss, accuracy, 10);
  }
}
