package io.guilomo.spark.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TestEvaluationsTable {

  @Test
  void lessLossAndCalibrationErrorAreBetter() {
    assertThat(List.of("loss", "choices_loss", "calibration-error", "choices_calibration-error"))
        .allMatch(EvaluationsTable::lessIsBetter);
    assertThat(List.of("accuracy", "choices_accuracy", "generation_accuracy", "f1"))
        .noneMatch(EvaluationsTable::lessIsBetter);
  }
}
