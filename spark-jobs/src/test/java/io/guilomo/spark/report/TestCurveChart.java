package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.spark.report.CurveChart.Curve;
import io.guilomo.spark.report.CurveChart.Point;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestCurveChart {

  @Test
  void theAlternativeSaysEveryPoint() {
    String html = chart(curve("uniform", 2, 1.5), curve("learned <1>", 1.9, 1.4));
    assertThat(html)
        .contains(
            "aria-label=\"loss over size. uniform: 2 at 1,000, 1.5000 at 100,000;"
                + " learned &lt;1&gt;: 1.9000 at 1,000, 1.4000 at 100,000.\"")
        .contains("swatch k0", "swatch k1")
        .doesNotContain("unpainted");
  }

  @Test
  void pointsOfOneSizeAreBesideEachOtherAndHaveTheirIntervals() {
    Painted painted = new Painted(chart(curve("a", 2, 1.5), curve("b", 2, 1.5)));
    for (String colour : List.of("k0", "k1")) {
      assertThat(painted.marks(colour)).isEqualTo(2);
    }
    assertThat(painted.words("across")).contains("size", "10,000");
    // Two intervals of two ends, then the line of two points.
    List<double[]> first = painted.corners("k0");
    assertThat(first).hasSize(6);
    assertThat(first.get(0)[0]).isEqualTo(first.get(1)[0]).isEqualTo(first.get(4)[0]);
    double middle = (first.get(0)[1] + first.get(1)[1]) / 2;
    assertThat(first.get(4)[1]).isCloseTo(middle, within(0.2));
    assertThat(painted.corners("k1").get(4)[0]).isGreaterThan(first.get(4)[0] + 1);
  }

  @Test
  void aLonePointWithoutIntervalIsDrawn() {
    Painted painted =
        new Painted(chart(new Curve("full", List.of(new Point(52_000, 1.5, 1.5, 1.5)))));
    assertThat(painted.marks("k0")).isEqualTo(1);
  }

  @Test
  void curvesBeyondTheColoursHaveDiamonds() {
    Curve[] curves = new Curve[9];
    Arrays.setAll(curves, i -> curve("c" + i, 2, 1.5));
    String html = chart(curves);
    assertThat(html).contains("swatch k7", "swatch diamond k0").doesNotContain("k8");
    assertThat(new Painted(html).marks("k0")).isGreaterThanOrEqualTo(2);
  }

  private static Curve curve(String name, double first, double second) {
    return new Curve(
        name,
        List.of(
            new Point(1_000, first - 0.1, first, first + 0.1),
            new Point(100_000, second - 0.1, second, second + 0.1)));
  }

  private static String chart(Curve... curves) {
    return new CurveChart("loss over size", "size", List.of(curves)).html().toString();
  }
}
