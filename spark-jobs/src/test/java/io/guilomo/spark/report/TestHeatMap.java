package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TestHeatMap {

  @Test
  void rowsAreLayersAndColumnsModulesInTheOrderOfABlock() {
    Grid grid =
        Grid.of(
            List.of(
                new Grid.Cell(10, "o_proj", 8),
                new Grid.Cell(2, "q_proj", 2),
                new Grid.Cell(2, "new", 3),
                new Grid.Cell(2, "o_proj", 5)));
    assertThat(grid.layers()).containsExactly(2, 10);
    assertThat(grid.modules()).containsExactly("q_proj", "o_proj", "new");
    assertThat(grid.values()[0]).containsExactly(2, 5, 3);
    assertThat(grid.values()[1]).containsExactly(Double.NaN, 8, Double.NaN);
    String html =
        new HeatMap(
                "Experts <of> each",
                grid,
                Numbers::oneDecimal,
                new HeatMap.Margin("all", "mean", List.of(10.0, 8.0), List.of(2.0, 6.5, 3.0), "18"))
            .html()
            .toString();
    assertThat(html)
        .contains("<caption>Experts &lt;of&gt; each</caption>")
        .contains("<th scope=\"col\">q_<wbr>proj<wbr></th>")
        .contains("<th scope=\"row\">10</th>")
        // The least is the lightest, the most the darkest.
        .contains("<td class=\"h0\">2</td>", "<td class=\"h6\">8</td>", "<td class=\"h3\">5</td>")
        .contains("<td>–</td>")
        .contains("--share:0.800");
  }

  @Test
  void equalNumbersHaveTheMiddleShade() {
    Grid grid = Grid.of(List.of(new Grid.Cell(0, "key", 5), new Grid.Cell(1, "key", 5)));
    assertThat(new HeatMap("c", grid, Numbers::oneDecimal, null).html().toString())
        .contains("<td class=\"h3\">5</td>")
        .doesNotContain("class=\"h0\"");
  }
}
