package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TestPlot {

  @Test
  void whereJavaCannotPaintASentenceStandsForTheChart() {
    String html =
        Plot.of(
                "t",
                "Loss. It fell.",
                100,
                plot -> {
                  throw new UnsatisfiedLinkError("libfreetype.so.6: <none>");
                })
            .toString();
    assertThat(html)
        .startsWith("<p class=\"unpainted\">This chart is missing because Java cannot paint here (")
        .contains("UnsatisfiedLinkError: libfreetype.so.6: &lt;none&gt;). Loss. It fell.")
        .doesNotContain("<svg");
  }

  @Test
  void aLackOfMemoryIsNoLackOfFonts() {
    assertThatThrownBy(
            () ->
                Plot.of(
                    "t",
                    "a",
                    100,
                    plot -> {
                      throw new OutOfMemoryError("heap");
                    }))
        .isInstanceOf(OutOfMemoryError.class)
        .hasMessage("heap");
  }

  @Test
  void aColourIsOneOfTheStyleSheets() {
    assertThat(ChartGraphics.colour("k0")).isNotEqualTo(ChartGraphics.colour("k1"));
    assertThatThrownBy(() -> ChartGraphics.colour("red"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot paint with class red: expected one of [across, up,");
  }
}
