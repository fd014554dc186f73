package io.guilomo.spark.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TestInterruption {

  @Test
  void saysHowToGoOn() {
    assertThat(Interruption.line("finetune", "r1", true))
        .isEqualTo(
            "interrupted: the same finetune with --set run.id=r1 resumes from its newest checkpoint,"
                + " if it has written one");
    assertThat(Interruption.line("evaluate", "r1", false))
        .isEqualTo(
            "interrupted: the same evaluate with --set run.id=r1 starts over, as it has no"
                + " checkpoints");
    assertThat(Interruption.line("compare", "r1", false))
        .isEqualTo(
            "interrupted: the same compare with --set run.id=r1 does only what is not done yet");
  }
}
