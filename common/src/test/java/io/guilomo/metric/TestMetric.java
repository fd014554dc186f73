package io.guilomo.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class TestMetric {

  private static final Offset<Double> EXACT = within(1e-12);

  @Test
  void binary() {
    List<Scored> records = binary(3, 1, 2, 4);
    assertThat(Metric.ACCURACY.of(records, 2)).isEqualTo(0.7);
    assertThat(Metric.MATTHEWS.of(records, 2)).isCloseTo(10 / Math.sqrt(600), EXACT);
    assertThat(Metric.F1.of(records, 2)).isCloseTo(2.0 / 3, EXACT);
    assertThat(Metric.LOSS.of(records, 2)).isCloseTo(0.25, EXACT);
  }

  @Test
  void threeClasses() {
    List<Scored> records =
        List.of(scored(0, 0), scored(0, 1), scored(1, 1), scored(1, 1), scored(2, 2), scored(2, 0));
    assertThat(Metric.ACCURACY.of(records, 3)).isCloseTo(4.0 / 6, EXACT);
    assertThat(Metric.MATTHEWS.of(records, 3)).isCloseTo(12 / Math.sqrt(22 * 24), EXACT);
    assertThat(Metric.F1.of(records, 3)).isCloseTo((0.5 + 0.8 + 2.0 / 3) / 3, EXACT);
    // A class that never occurs changes nothing.
    assertThat(Metric.F1.of(records, 4)).isCloseTo((0.5 + 0.8 + 2.0 / 3) / 3, EXACT);
    assertThat(Metric.MATTHEWS.of(records, 4)).isCloseTo(12 / Math.sqrt(22 * 24), EXACT);
  }

  @Test
  void noAnswerIsWrong() {
    List<Scored> records =
        List.of(scored(0, 0), scored(1, 1), scored(1, Scored.UNANSWERED), scored(0, 0));
    assertThat(Metric.ACCURACY.of(records, 2)).isEqualTo(0.75);
    // Precision 1, recall 1/2.
    assertThat(Metric.F1.of(records, 2)).isCloseTo(2.0 / 3, EXACT);
    // c s − Σ p t = 12 − 6; s² − Σ p² = 16 − 6; s² − Σ t² = 16 − 8.
    assertThat(Metric.MATTHEWS.of(records, 2)).isCloseTo(6 / Math.sqrt(80), EXACT);
  }

  @Test
  void oneClassOnly() {
    List<Scored> records = List.of(scored(0, 0), scored(0, 0));
    assertThat(Metric.MATTHEWS.of(records, 2)).isZero();
    assertThat(Metric.F1.of(records, 2)).isZero();
    assertThat(Metric.ACCURACY.of(records, 2)).isEqualTo(1);
    assertThat(Metric.F1.of(records, 3)).isEqualTo(1);
  }

  @Property
  void withTwoClassesMatthewsIsTheBinaryCoefficient(
      @ForAll @IntRange(max = 40) int truePositive,
      @ForAll @IntRange(max = 40) int falsePositive,
      @ForAll @IntRange(max = 40) int falseNegative,
      @ForAll @IntRange(min = 1, max = 40) int trueNegative) {
    double product =
        (double) (truePositive + falsePositive)
            * (truePositive + falseNegative)
            * (trueNegative + falsePositive)
            * (trueNegative + falseNegative);
    double expected =
        product == 0
            ? 0
            : (truePositive * trueNegative - falsePositive * falseNegative) / Math.sqrt(product);
    List<Scored> records = binary(truePositive, falsePositive, falseNegative, trueNegative);
    assertThat(Metric.MATTHEWS.of(records, 2)).isCloseTo(expected, EXACT);
  }

  @Test
  void scoredByProbabilities() {
    Scored scored = Scored.of(new double[] {0.25, 0.375, 0.375}, 0);
    assertThat(scored).isEqualTo(new Scored(0, 1, Math.log(4), 0.375));
    assertThat(scored.correct()).isFalse();
    assertThat(Scored.of(new double[] {0.5, 0.5}, 0).correct()).isTrue();
    refused(
        "Cannot score class 2: there are 2 classes", () -> Scored.of(new double[] {0.5, 0.5}, 2));
    refused("Cannot score class 0 against class -1", () -> new Scored(-1, 0, 0));
    refused("Cannot score class -2 against class 1", () -> new Scored(1, -2, 0));
  }

  @Test
  void whatCannotBeComputed() {
    refused("Cannot compute accuracy of no records", () -> Metric.ACCURACY.of(List.of(), 2));
    refused(
        "Cannot count class 2: there are 2 classes",
        () -> Metric.F1.of(List.of(scored(0, 1), scored(1, 2)), 2));
  }

  private static void refused(String message, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }

  /** Right answers with a loss of 0.1, wrong ones with one of 0.6. */
  static List<Scored> binary(
      int truePositive, int falsePositive, int falseNegative, int trueNegative) {
    List<Scored> records = new ArrayList<>();
    records.addAll(Collections.nCopies(truePositive, scored(1, 1)));
    records.addAll(Collections.nCopies(falsePositive, scored(0, 1)));
    records.addAll(Collections.nCopies(falseNegative, scored(1, 0)));
    records.addAll(Collections.nCopies(trueNegative, scored(0, 0)));
    return records;
  }

  private static Scored scored(int gold, int predicted) {
    return new Scored(gold, predicted, gold == predicted ? 0.1 : 0.6);
  }
}
