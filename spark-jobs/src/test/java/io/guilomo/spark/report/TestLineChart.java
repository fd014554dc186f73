package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.spark.report.LineChart.Line;
import io.guilomo.spark.report.LineChart.Point;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TestLineChart {

  @Test
  void theAlternativeSaysWhereLinesBeginAndEnd() {
    String html =
        chart(
            new Line(
                "training <all>",
                List.of(new Point(0, 0.75), new Point(5, 0.5), new Point(10, 0.25))),
            new Line("validation", List.of(new Point(4, 0.5))));
    assertThat(html)
        .contains(
            "aria-label=\"Loss. training &lt;all&gt;: 0.7500 at step 0, 0.2500 at step 10;"
                + " validation: 0.5000 at step 4, 0.5000 at step 4.\"")
        .contains("role=\"img\"", "<title>Loss</title>")
        .contains("0.7500 → 0.2500");
  }

  @Test
  void pointsLieWhereTheirValuesAre() {
    Painted painted =
        new Painted(
            chart(new Line("a", List.of(new Point(0, 0), new Point(4, 0.2), new Point(10, 1)))));
    assertThat(painted.words("across")).containsExactly("step", "0", "2", "4", "6", "8", "10");
    assertThat(painted.words("up"))
        .containsExactlyInAnyOrder("0.0", "0.2", "0.4", "0.6", "0.8", "1.0");
    List<double[]> corners = painted.corners("k0");
    List<String> across = List.of("0", "4", "10");
    List<String> up = List.of("0.0", "0.2", "1.0");
    assertThat(corners).hasSize(3);
    for (int i = 0; i < 3; i++) {
      // A word is centred by the font of the machine.
      assertThat(corners.get(i)[0]).isCloseTo(painted.x(across.get(i)), within(2.5));
      assertThat(corners.get(i)[1]).isCloseTo(painted.y(up.get(i)), within(0.6));
    }
    assertThat(painted.x("10") - painted.x("0")).isGreaterThan(350);
    assertThat(painted.y("0.0") - painted.y("1.0")).isGreaterThan(150);
  }

  @Test
  void aValueThatIsNoNumberLeavesAGap() {
    Painted painted =
        new Painted(
            chart(
                new Line(
                    "a",
                    List.of(
                        new Point(0, 0),
                        new Point(2, 0.25),
                        new Point(3, Double.NaN),
                        new Point(4, Double.POSITIVE_INFINITY),
                        new Point(5, 0.5),
                        new Point(10, 1)))));
    assertThat(painted.pieces("k0")).containsExactly(2, 2);
    assertThat(painted.marks("k0")).isEqualTo(4);
  }

  @Test
  void aLoneAConstantAndNoPointAreDrawn() {
    assertThat(new Painted(chart(new Line("a", List.of(new Point(3, 0.5))))).marks("k0"))
        .isEqualTo(1);
    Painted constant =
        new Painted(chart(new Line("a", List.of(new Point(3, 0.5), new Point(7, 0.5)))));
    assertThat(constant.corners("k0").get(0)[1])
        .isEqualTo(constant.corners("k0").get(1)[1])
        .isCloseTo(constant.y("0.5"), within(0.6));
    Painted nothing = new Painted(chart(new Line("a", List.of(new Point(0, Double.NaN)))));
    assertThat(nothing.marks("k0")).isZero();
    assertThat(nothing.words("up")).contains("0.0", "1.0");
  }

  @Test
  void valuesMuchSmallerThanOneAreDrawnToo() {
    Painted painted =
        new Painted(
            chart(
                new Line(
                    "rate",
                    IntStream.rangeClosed(0, 100)
                        .mapToObj(i -> new Point(i, 3e-6 * (100 - i) / 100))
                        .toList())));
    assertThat(painted.words("up")).contains("1.0e-06", "2.0e-06", "3.0e-06");
    assertThat(painted.corners("k0").get(0)[1]).isCloseTo(painted.y("3.0e-06"), within(0.6));
  }

  @Test
  void coloursAreThoseOfTheStyleSheet() {
    List<Line> lines =
        IntStream.range(0, 3)
            .mapToObj(i -> new Line("a" + i, List.of(new Point(0, i), new Point(1, i + 1))))
            .toList();
    Painted kinds = new Painted(new LineChart("t", "step", lines, false, "").html().toString());
    assertThat(List.of("k0", "k1", "k2")).allSatisfy(k -> assertThat(kinds.marks(k)).isEqualTo(2));
    String ordered = new LineChart("t", "step", lines, true, "").html().toString();
    assertThat(List.of("o0", "o3", "o7"))
        .allSatisfy(o -> assertThat(new Painted(ordered).marks(o)).isEqualTo(2));
    assertThat(ordered)
        .contains("swatch o0", "swatch o3", "swatch o7")
        .doesNotContain("rgb(", "#", "style=", "font-family");
  }

  @Test
  void aPageCanHoldManyAndNeedsNoOtherFile() {
    Line line = new Line("a", List.of(new Point(0, 0), new Point(10, 1)));
    assertThat(chart(line))
        .isEqualTo(chart(line))
        .doesNotContain(" id=", "url(", "href", "http", "<!", "<?", "clip", "<image");
  }

  @Test
  void aLongLineIsOnePathOfShortNumbers() {
    List<Point> points =
        IntStream.range(0, LineChart.POINTS).mapToObj(i -> new Point(i, Math.sqrt(i))).toList();
    String html = chart(new Line("a", points), new Line("b", points));
    Painted painted = new Painted(html);
    assertThat(painted.pieces("k0")).containsExactly(LineChart.POINTS);
    assertThat(painted.pieces("k1")).containsExactly(LineChart.POINTS);
    assertThat(painted.marks("k0")).isZero();
    assertThat(html.length()).isLessThan(15_000);
  }

  private static String chart(Line... lines) {
    return new LineChart("Loss", "step", List.of(lines), false, "").html().toString();
  }
}
