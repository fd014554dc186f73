package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.DoubleStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class TestRange {

  @Test
  void itIsSomewhatWiderThanTheValues() {
    Range range = Range.of(DoubleStream.of(1, Double.NaN, 0.5, 0));
    assertThat(range.power()).isEqualTo(2);
    assertThat(range.low()).isCloseTo(-4, within(1e-9));
    assertThat(range.high()).isCloseTo(105, within(1e-9));
    assertThat(range.place(0.5)).isEqualTo(50);
  }

  @Test
  void oneValueAndNoneHaveARangeToo() {
    Range one = Range.of(DoubleStream.of(3, 3));
    assertThat((one.low() + one.high()) / 2).isCloseTo(one.place(3), within(3.0));
    assertThat(one.high()).isGreaterThan(one.low());
    assertThat(Range.of(DoubleStream.of(0))).isEqualTo(Range.of(DoubleStream.of(-0.5, 0.5)));
    assertThat(Range.of(DoubleStream.empty())).isEqualTo(Range.of(DoubleStream.of(0, 1)));
  }

  @Test
  void labelsHaveTheDecimalsThatTheyNeed() {
    Range loss = Range.of(DoubleStream.of(0.41, 0.83));
    assertThat(loss.label(loss.place(0.5))).isEqualTo("0.50");
    assertThat(loss.label(loss.place(0.555))).isEqualTo("0.555");
    Range tokens = Range.of(DoubleStream.of(0, 5000));
    assertThat(tokens.label(tokens.place(3000))).isEqualTo("3,000");
    Range tiny = Range.of(DoubleStream.of(0, 3e-8));
    assertThat(tiny.label(tiny.place(2e-8))).isEqualTo("2.0e-08");
    assertThat(tiny.label(0)).isEqualTo("0");
  }

  @Test
  void stepsAreWholeNumbers() {
    Range range = Range.of(DoubleStream.of(0, 4));
    assertThat(range.wholeLabel(range.place(3))).isEqualTo("3");
    assertThat(range.wholeLabel(range.place(2.5))).isEmpty();
    assertThat(range.wholeLabel(range.place(-0.0))).isEqualTo("0");
  }

  @Property(tries = 300)
  void itHoldsItsValuesInAModerateSpan(
      @ForAll @DoubleRange(min = -1e6, max = 1e6) double a,
      @ForAll @DoubleRange(min = -1, max = 1) double b,
      @ForAll @IntRange(min = -12, max = 12) int power) {
    double c = b * Math.pow(10, power);
    Range range = Range.of(DoubleStream.of(a, a + c));
    assertThat(range.place(a)).isBetween(range.low(), range.high());
    assertThat(range.place(a + c)).isBetween(range.low(), range.high());
    assertThat(range.high() - range.low()).isBetween(50.0, 600.0);
  }
}
