package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.spark.report.IntervalChart.Interval;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestIntervalChart {

  private static final List<Interval> ROWS =
      List.of(
          new Interval("guilomo", 0.01, 0.02, 0.04),
          new Interval("random", -0.01, 0.01, 0.03),
          new Interval("one <seed>", 0.03, 0.03, 0.03));

  @Test
  void rowsAreInTheirOrderWithTheEndsOfTheirIntervals() {
    Painted painted = new Painted(chart(ROWS, List.of(0.0)));
    assertThat(painted.y("guilomo")).isLessThan(painted.y("random"));
    assertThat(painted.y("random")).isLessThan(painted.y("one <seed>"));
    assertThat(painted.words("up")).containsExactlyInAnyOrder("guilomo", "random", "one <seed>");
    // From below: the value alone, random's interval, guilomo's.
    List<double[]> ends = painted.corners("range");
    assertThat(painted.pieces("range")).containsExactly(2, 2, 2);
    assertThat(ends.get(2)[1]).isEqualTo(ends.get(3)[1]);
    assertThat(ends.get(2)[1]).isCloseTo(painted.y("random"), within(0.6));
    assertThat(ends.get(2)[0]).isCloseTo(painted.x("-0.01"), within(2.5));
    assertThat(ends.get(3)[0]).isCloseTo(painted.x("0.03"), within(2.5));
    assertThat(ends.get(5)[0]).isCloseTo(painted.x("0.04"), within(2.5));
    List<double[]> values = painted.centres("point");
    assertThat(values).hasSize(3);
    assertThat(values.get(2)[0]).isCloseTo(painted.x("0.02"), within(2.5));
    assertThat(values.get(2)[1]).isCloseTo(painted.y("guilomo"), within(0.6));
  }

  @Test
  void aLineMarksTheOneValueThatIsAlwaysShown() {
    Painted painted = new Painted(chart(ROWS.subList(0, 1), List.of(0.0)));
    List<double[]> mark = painted.corners("mark");
    assertThat(mark).hasSize(2);
    assertThat(mark.get(0)[0]).isEqualTo(mark.get(1)[0]).isCloseTo(painted.x("0.000"), within(2.5));
    Painted shares = new Painted(chart(ROWS.subList(0, 1), List.of(0.0, 1.0)));
    assertThat(shares.words("across")).contains("0.0", "0.4", "1.0");
    assertThat(shares.corners("mark")).isEmpty();
  }

  @Test
  void rowsThatAreNoNumbersAreLeftOut() {
    Interval diverged = new Interval("diverged", Double.NaN, Double.NaN, Double.NaN);
    String html = chart(List.of(ROWS.get(0), diverged, ROWS.get(1)), List.of(0.0));
    assertThat(new Painted(html).words("up")).containsExactlyInAnyOrder("guilomo", "random");
    assertThat(html).doesNotContain("NaN");
    assertThat(chart(List.of(diverged), List.of(0.0))).isEmpty();
  }

  @Test
  void longNamesAreCut() {
    String html =
        chart(List.of(new Interval("expected calibration error", 0.1, 0.2, 0.3)), List.of(0.0));
    assertThat(new Painted(html).words("up")).containsExactly("expected calibratio…");
    assertThat(html).contains("expected calibration error: 0.2000");
  }

  @Test
  void theAlternativeTellsValuesAndIntervals() {
    assertThat(chart(ROWS, List.of(0.0)))
        .contains(
            "aria-label=\"Differences. guilomo: 0.0200 in 0.0100 to 0.0400; random: 0.0100 in -0.0100"
                + " to 0.0300; one &lt;seed&gt;: 0.0300.\"")
        .doesNotContain(" id=", "url(", "http", "rgb(", "#");
  }

  private static String chart(List<Interval> rows, List<Double> shown) {
    return new IntervalChart("Differences", "difference", rows, shown).html().toString();
  }
}
