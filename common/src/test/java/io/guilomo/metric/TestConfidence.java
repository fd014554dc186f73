package io.guilomo.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** What the confidences of answers are worth, on values that are computed by hand. */
class TestConfidence {

  private static final Offset<Double> EXACT = within(1e-12);

  private static final List<Scored> RECORDS =
      List.of(
          right(0.95),
          right(0.92),
          wrong(0.91),
          right(0.9),
          wrong(0.85),
          right(0.55),
          wrong(0.5),
          right(1),
          wrong(0.2),
          right(0.51));

  @Test
  void reliabilityIsByBinsOfConfidence() {
    List<Reliability> bins = Reliability.of(RECORDS);
    assertThat(bins).extracting(Reliability::low).containsExactly(0.1, 0.4, 0.5, 0.8, 0.9);
    assertThat(bins).extracting(Reliability::records).containsExactly(1L, 1L, 2L, 2L, 4L);
    assertThat(bins).extracting(Reliability::accuracy).containsExactly(0.0, 0.0, 1.0, 0.5, 0.75);
    assertThat(bins.get(4).confidence()).isCloseTo((0.95 + 0.92 + 0.91 + 1) / 4, EXACT);
    assertThat(bins.get(4).high()).isEqualTo(1);
  }

  @Test
  void theCalibrationErrorIsTheMeanDistance() {
    double expected = 0.2 + 0.5 + 2 * (1 - 0.53) + 2 * (0.875 - 0.5) + 4 * (0.945 - 0.75);
    assertThat(Metric.CALIBRATION_ERROR.of(RECORDS, 2)).isCloseTo(expected / 10, EXACT);
    assertThat(Metric.CALIBRATION_ERROR.of(List.of(right(1), right(1)), 2)).isZero();
  }

  @Test
  void lessCoverageIsOfTheMostCertain() {
    // 1, 0.95, 0.92, 0.91 (wrong), 0.9.
    assertThat(Metric.ACCURACY_AT_50.of(RECORDS, 2)).isCloseTo(0.8, EXACT);
    assertThat(Metric.ACCURACY_AT_80.of(RECORDS, 2)).isCloseTo(6 / 8.0, EXACT);
    assertThat(Metric.ACCURACY_AT_90.of(RECORDS, 2)).isCloseTo(6 / 9.0, EXACT);
    assertThat(Metric.ACCURACY_AT_50.of(List.of(wrong(0.6), right(0.7), right(0.8)), 2)).isOne();
  }

  @Test
  void separationIsTheShareOfPairsInOrder() {
    List<Scored> records =
        List.of(inside(0.9), inside(0.6), inside(0.4), outside(0.6), outside(0.3));
    // Above 0.6 and 0.3: 0.9; tied and above: 0.6; below and above: 0.4.
    assertThat(Metric.SEPARATION.of(records, 2)).isCloseTo((2 + 1.5 + 1) / 6, EXACT);
    assertThat(Metric.SEPARATION.of(List.of(inside(0.9), outside(0.2)), 2)).isOne();
    assertThat(Metric.SEPARATION.of(List.of(inside(0.5), outside(0.5)), 2)).isEqualTo(0.5);
    assertThat(Metric.SEPARATION.of(List.of(inside(0.5)), 2)).isEqualTo(0.5);
    // Of a model whose answers are no numbers.
    assertThat(Metric.SEPARATION.of(List.of(inside(Double.NaN), outside(Double.NaN)), 2))
        .isEqualTo(0.5);
  }

  @Test
  void everyMetricHasItsOwnName() {
    assertThat(Stream.of(Metric.values()).map(Metric::label).distinct())
        .hasSize(Metric.values().length);
  }

  private static Scored right(double confidence) {
    return new Scored(1, 1, 0, confidence);
  }

  private static Scored wrong(double confidence) {
    return new Scored(0, 1, 0, confidence);
  }

  private static Scored inside(double confidence) {
    return new Scored(1, 1, 0, confidence);
  }

  private static Scored outside(double confidence) {
    return new Scored(0, 0, 0, confidence);
  }
}
