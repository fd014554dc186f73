package io.guilomo.spark.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.config.FinetuneConfig.Criterion;
import io.guilomo.config.GuilomoConfig;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How a strategy's learning rate is chosen, and what an epoch takes. */
class TestValidated {

  @Test
  void theRateIsTheBestOnAverageOverTheSeeds() {
    // Each rate is the best of one seed.
    Map<Double, List<Validated>> rates =
        Map.of(
            1e-4, List.of(new Validated(0.9, 0.5), new Validated(1.4, 0.9)),
            1e-3, List.of(new Validated(1.0, 0.6), new Validated(1.1, 0.7)),
            1e-2, List.of(new Validated(1.5, 0.4), new Validated(1.0, 0.5)));
    assertThat(Validated.bestRate(rates, Criterion.LOSS)).isEqualTo(1e-3);
    assertThat(Validated.bestRate(rates, Criterion.ACCURACY)).isEqualTo(1e-4);
  }

  @Test
  void equalAccuraciesAreDecidedByLossAndEqualLossesByTheLowerRate() {
    Validated worse = new Validated(1.2, 0.8);
    Validated better = new Validated(1.1, 0.8);
    assertThat(
            Validated.bestRate(
                Map.of(1e-3, List.of(worse), 1e-2, List.of(better)), Criterion.ACCURACY))
        .isEqualTo(1e-2);
    assertThat(
            Validated.bestRate(
                Map.of(1e-3, List.of(better), 1e-2, List.of(better)), Criterion.LOSS))
        .isEqualTo(1e-3);
  }

  @Test
  void aRateThatDivergedWithOneSeedIsNotChosen() {
    Map<Double, List<Validated>> rates =
        Map.of(
            1e-3, List.of(new Validated(3, 0.1), new Validated(3, 0.1)),
            1e-1, List.of(new Validated(1, 0.9), Validated.DIVERGED));
    assertThat(Validated.bestRate(rates, Criterion.LOSS)).isEqualTo(1e-3);
    assertThat(Validated.bestRate(rates, Criterion.ACCURACY)).isEqualTo(1e-3);
  }

  /** As fine-tuning keeps the first of those that it finds equal. */
  @Test
  void theAdapterThatIsKeptIsTheFirstOfTheBest() {
    List<Validated> validations =
        List.of(
            new Validated(0.6, 0.7),
            new Validated(0.7, 0.8),
            new Validated(0.5, 0.8),
            new Validated(0.5, 0.75));
    assertThat(Validated.kept(validations, Criterion.ACCURACY)).isEqualTo(validations.get(1));
    assertThat(Validated.kept(validations, Criterion.LOSS)).isEqualTo(validations.get(2));
  }

  @Test
  void anEpochIsItsShareOfTheFineTuning() {
    // 30 steps of 8 passes over 80 records are three epochs, which took 12 seconds.
    RunTimes times = new RunTimes(Map.of("finetune", 12.0, "evaluate", 2.0), 30, 80);
    GuilomoConfig config = GuilomoConfig.load(null, List.of("finetune.batch-size=8"));
    assertThat(times.epoch(config.finetune())).isCloseTo(4, within(1e-12));
    assertThat(times.of("allocate")).isZero();
    assertThat(RunTimes.NONE.epoch(config.finetune())).isNaN();
  }
}
