package io.guilomo.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TestEarlyStopping {

  @Test
  void stopsAfterSoManyLossesThatAreNotLower() {
    EarlyStopping stopping = new EarlyStopping(2);
    assertThat(stopping.add(0.5)).isTrue();
    assertThat(stopping.add(0.5)).isFalse();
    assertThat(stopping.stops()).isFalse();
    assertThat(stopping.add(0.4)).isTrue();
    assertThat(stopping.add(0.6)).isFalse();
    assertThat(stopping.stops()).isFalse();
    assertThat(stopping.add(0.45)).isFalse();
    assertThat(stopping.stops()).isTrue();
  }

  @Test
  void withoutPatienceItNeverStops() {
    EarlyStopping stopping = new EarlyStopping(0);
    assertThat(stopping.add(0.5)).isTrue();
    for (int i = 0; i < 50; i++) {
      stopping.add(1 + i);
    }
    assertThat(stopping.stops()).isFalse();
  }
}
