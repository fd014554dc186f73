package io.guilomo.spark.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.model.UserException;
import io.guilomo.spark.round.Rounds.Round;
import org.junit.jupiter.api.Test;

/** How the steps of a training are cut into rounds. */
class TestRounds {

  @Test
  void theLastRoundMayBeShorter() {
    Rounds rounds = Rounds.of(50, 20);
    assertThat(rounds.count()).isEqualTo(3);
    assertThat(rounds.round(2)).isEqualTo(new Round(2, 20, 40, false));
    assertThat(rounds.round(3)).isEqualTo(new Round(3, 40, 50, true));
  }

  @Test
  void aResumedTrainingCountsFromItsCheckpoint() {
    Rounds rounds = Rounds.of(50, 20).after(3, 15);
    assertThat(rounds.count()).isEqualTo(5);
    assertThat(rounds.round(4)).isEqualTo(new Round(4, 15, 35, false));
    assertThat(rounds.round(5)).isEqualTo(new Round(5, 35, 50, true));
    assertThat(Rounds.of(50, 20).after(3, 50).count()).isEqualTo(3);
  }

  @Test
  void aTrainingThatBecameShorterThanWhatIsDoneIsRefused() {
    assertThatThrownBy(() -> Rounds.of(750, 20).after(75, 1500))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot resume after 1500 steps of each worker: the training has 750 now, which would"
                + " leave it unfinished; give it the workers, batch size and epochs that it had, or"
                + " another run.id");
  }
}
