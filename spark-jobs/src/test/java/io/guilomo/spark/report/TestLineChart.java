package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.spark.report.LineChart.Line;
import io.guilomo.spark.report.LineChart.Point;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class TestLineChart {

  @Test
  void theAlternativeSaysWhereLinesBeginAndEnd() throws Exception {
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
        .contains("role=\"img\"")
        .contains("0.7500 → 0.2500");
    // Well-formed, so that it is an image wherever it is pasted.
    String svg = html.substring(html.indexOf("<svg"), html.indexOf("</svg>") + 6);
    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void pointsLieWhereTheirValuesAre() {
    // The axes go from 0 to 10 and from 0 to 1.
    assertThat(chart(new Line("a", List.of(new Point(0, 0), new Point(10, 1)))))
        .contains("class=\"line k0\" d=\"M58.0 254.0L546.0 12.0\"");
  }

  @Test
  void aValueThatIsNoNumberLeavesAGap() {
    assertThat(
            chart(
                new Line(
                    "a",
                    List.of(
                        new Point(0, 0),
                        new Point(2, Double.NaN),
                        new Point(5, 0.5),
                        new Point(10, 1)))))
        .contains("d=\"M58.0 254.0M302.0 133.0L546.0 12.0\"");
  }

  @Test
  void aConstantAndNothingButGapsAreDrawn() {
    assertThat(chart(new Line("a", List.of(new Point(3, 0.5), new Point(7, 0.5)))))
        .contains("class=\"line k0\" d=\"M");
    assertThat(chart(new Line("a", List.of(new Point(0, Double.NaN))))).contains("d=\"\"");
  }

  @Test
  void stepsAreWholeNumbers() {
    assertThat(Axis.of(0, 1, 6).whole().ticks()).containsExactly(0.0, 1.0);
    assertThat(Axis.of(0, 243, 6).whole().ticks())
        .containsExactly(0.0, 50.0, 100.0, 150.0, 200.0, 250.0);
  }

  @Test
  void ticksHaveTheDecimalsThatTheyNeed() {
    Axis axis = Axis.of(0.41, 0.83, 5);
    assertThat(axis.ticks().stream().map(axis::label))
        .containsExactly("0.4", "0.5", "0.6", "0.7", "0.8", "0.9");
    assertThat(Axis.of(0, 5000, 5).label(3000)).isEqualTo("3,000");
  }

  @Property(tries = 300)
  void anAxisHoldsItsValuesWithFewTicks(
      @ForAll @DoubleRange(min = -1e6, max = 1e6) double a,
      @ForAll @DoubleRange(min = -1e6, max = 1e6) double b) {
    Axis axis = Axis.of(Math.min(a, b), Math.max(a, b), 5);
    assertThat(axis.share(Math.min(a, b))).isBetween(-1e-6, 1.0);
    assertThat(axis.share(Math.max(a, b))).isBetween(0.0, 1 + 1e-6);
    assertThat(axis.ticks()).hasSizeBetween(2, 9);
  }

  private static String chart(Line... lines) {
    return new LineChart("Loss", "step", List.of(lines), false, "").html().toString();
  }
}
