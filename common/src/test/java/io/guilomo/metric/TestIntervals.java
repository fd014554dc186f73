package io.guilomo.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class TestIntervals {

  private static final Bootstrap BOOTSTRAP = new Bootstrap(2000, 0.95, 7);

  @Test
  void quantiles() {
    double[] values = {1, 2, 4, 8, 16};
    assertThat(Bootstrap.quantile(values, 0)).isEqualTo(1);
    assertThat(Bootstrap.quantile(values, 0.5)).isEqualTo(4);
    assertThat(Bootstrap.quantile(values, 0.625)).isEqualTo(6);
    assertThat(Bootstrap.quantile(values, 0.9)).isCloseTo(12.8, within(1e-12));
    assertThat(Bootstrap.quantile(values, 1)).isEqualTo(16);
    assertThat(Bootstrap.quantile(new double[] {3}, 0.3)).isEqualTo(3);
  }

  @Test
  void ofAccuracy() {
    // 300 of 400 right: the deviation is √(3/4 · 1/4 / 400) = 0.02165.
    Interval interval = BOOTSTRAP.interval(Metric.ACCURACY, TestMetric.binary(150, 50, 50, 150), 2);
    assertThat(interval.low()).isCloseTo(0.75 - 1.96 * 0.02165, within(0.005));
    assertThat(interval.high()).isCloseTo(0.75 + 1.96 * 0.02165, within(0.005));
    Interval half =
        new Bootstrap(2000, 0.5, 7)
            .interval(Metric.ACCURACY, TestMetric.binary(150, 50, 50, 150), 2);
    assertThat(half.low()).isCloseTo(0.75 - 0.6745 * 0.02165, within(0.005));
  }

  @Test
  void theSeedDecides() {
    List<Scored> records = TestMetric.binary(17, 5, 4, 20);
    Interval interval = BOOTSTRAP.interval(Metric.MATTHEWS, records, 2);
    assertThat(BOOTSTRAP.interval(Metric.MATTHEWS, records, 2)).isEqualTo(interval);
    assertThat(new Bootstrap(2000, 0.95, 8).interval(Metric.MATTHEWS, records, 2))
        .isNotEqualTo(interval);
    double value = Metric.MATTHEWS.of(records, 2);
    assertThat(value).isBetween(interval.low(), interval.high());
  }

  /**
   * Noise raises a calibration error: the percentiles would hold the truth of 77 of the 200 sets.
   */
  @Test
  void ofACalibrationErrorTheyHoldTheTruth() {
    Random random = new Random(5);
    Bootstrap bootstrap = new Bootstrap(200, 0.95, 3);
    int held = 0;
    int differencesHeld = 0;
    int sets = 200;
    for (int set = 0; set < sets; set++) {
      List<Scored> good = new ArrayList<>();
      List<Scored> poor = new ArrayList<>();
      for (int n = 0; n < 500; n++) {
        double right = 0.5 + 0.45 * random.nextDouble();
        int answer = random.nextDouble() < right ? 1 : 0;
        good.add(new Scored(1, answer, 0, right + 0.02));
        poor.add(new Scored(1, answer, 0, right + 0.05));
      }
      Interval interval = bootstrap.interval(Metric.CALIBRATION_ERROR, good, 2);
      held += interval.low() <= 0.02 && interval.high() >= 0.02 ? 1 : 0;
      Interval between = bootstrap.difference(Metric.CALIBRATION_ERROR, poor, good, 2);
      differencesHeld += between.low() <= 0.03 && between.high() >= 0.03 ? 1 : 0;
      assertThat(interval.low()).isNotNegative();
    }
    assertThat((double) held / sets).isBetween(0.83, 1.0);
    assertThat((double) differencesHeld / sets).isBetween(0.88, 1.0);
  }

  @Test
  void withoutVariation() {
    List<Scored> right = Collections.nCopies(9, new Scored(1, 1, 0.5));
    assertThat(BOOTSTRAP.interval(Metric.ACCURACY, right, 2)).isEqualTo(new Interval(1, 1));
    assertThat(BOOTSTRAP.interval(Metric.LOSS, right, 2)).isEqualTo(new Interval(0.5, 0.5));
  }

  @Test
  void differencesAreOfTheSameRecords() {
    List<Scored> records = TestMetric.binary(150, 50, 50, 150);
    assertThat(BOOTSTRAP.difference(Metric.ACCURACY, records, records, 2))
        .isEqualTo(new Interval(0, 0));
    List<Scored> others =
        records.stream().map(record -> new Scored(record.gold(), record.gold(), 0)).toList();
    // Right where the other is wrong, never the other way round: 1 − accuracy.
    Interval accuracy = BOOTSTRAP.interval(Metric.ACCURACY, records, 2);
    Interval difference = BOOTSTRAP.difference(Metric.ACCURACY, others, records, 2);
    assertThat(difference.low()).isCloseTo(1 - accuracy.high(), within(1e-12));
    assertThat(difference.high()).isCloseTo(1 - accuracy.low(), within(1e-12));
    refused(
        "Cannot compare 400 records with 399: they are not the same records",
        () -> BOOTSTRAP.difference(Metric.ACCURACY, records, records.subList(0, 399), 2));
    List<Scored> reversed = records.stream().sorted((a, b) -> a.gold() - b.gold()).toList();
    refused(
        "Cannot compare 400 records with 400: they are not the same records",
        () -> BOOTSTRAP.difference(Metric.ACCURACY, records, reversed, 2));
  }

  @Test
  void pairedDifference() {
    PairedDifference difference =
        PairedDifference.of(new double[] {0.80, 0.82, 0.85}, new double[] {0.78, 0.81, 0.80});
    assertThat(difference.pairs()).isEqualTo(3);
    assertThat(difference.mean()).isCloseTo(0.08 / 3, within(1e-12));
    assertThat(difference.deviation()).isCloseTo(0.0208167, within(1e-7));
    // t with 2 degrees of freedom at 0.975 is 4.302653.
    Interval interval = difference.interval(0.95);
    assertThat(interval.low()).isCloseTo(0.0266667 - 0.0517117, within(1e-6));
    assertThat(interval.high()).isCloseTo(0.0266667 + 0.0517117, within(1e-6));
    assertThat(difference.interval(0).low()).isCloseTo(difference.mean(), within(1e-9));
    // t = 0.0266667 / (0.0208167 / √3) = 2.2188, of which 0.0783 lies above with 2 degrees of
    // freedom.
    assertThat(difference.probability()).isCloseTo(0.1567, within(1e-4));
    assertThat(difference.confidenceBelow(0)).isCloseTo(0.0783, within(1e-4));
    assertThat(difference.confidenceBelow(interval.high())).isCloseTo(0.975, within(1e-9));
    assertThat(difference.confidenceBelow(interval.low())).isCloseTo(0.025, within(1e-9));
  }

  @Test
  void withoutDeviationABoundIsSureOrImpossible() {
    PairedDifference difference = PairedDifference.of(new double[] {3, 4}, new double[] {2, 3});
    assertThat(difference.confidenceBelow(1.5)).isEqualTo(1);
    assertThat(difference.confidenceBelow(0.5)).isZero();
    double[] same = {1, 2};
    assertThat(PairedDifference.of(same, same).probability()).isEqualTo(1);
  }

  @Test
  void onePair() {
    PairedDifference difference = PairedDifference.of(new double[] {0.75}, new double[] {0.5});
    assertThat(difference.mean()).isEqualTo(0.25);
    assertThat(difference.deviation()).isNaN();
    refused(
        "Cannot give an interval from 1 pair: at least 2 are needed",
        () -> difference.interval(0.95));
  }

  @Test
  void whatCannotBeEstimated() {
    refused("Cannot estimate an interval from 0 samples", () -> new Bootstrap(0, 0.95, 1));
    refused(
        "Cannot give an interval of confidence 1.0: it must be in [0, 1)",
        () -> new Bootstrap(10, 1, 1));
    refused(
        "Cannot give an interval of confidence NaN: it must be in [0, 1)",
        () -> new PairedDifference(2, 0, 1).interval(Double.NaN));
    refused(
        "Cannot estimate an interval from no records",
        () -> BOOTSTRAP.interval(Metric.F1, List.of(), 2));
    refused("Cannot pair 1 runs with 2", () -> PairedDifference.of(new double[1], new double[2]));
    refused("Cannot pair 0 runs with 0", () -> PairedDifference.of(new double[0], new double[0]));
  }

  private static void refused(String message, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }

  /** As accuracies over few records may differ: Student's test would be sure of them. */
  @Test
  void equalDifferencesAreTestedByTheirSignsAlone() {
    double[] values = {0.91, 0.92, 0.95};
    double[] others = {0.9, 0.91, 0.94};
    assertThat(PairedDifference.of(values, others).probability()).isEqualTo(0.25);
    assertThat(PairedDifference.of(values, values).probability()).isEqualTo(1);
    assertThat(new PairedDifference(5, -0.01, 0).probability()).isEqualTo(0.0625);
  }
}
