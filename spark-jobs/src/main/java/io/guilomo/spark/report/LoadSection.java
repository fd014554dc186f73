package io.guilomo.spark.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** How evenly the routers spread the tokens over a module's experts. */
final class LoadSection implements Section {

  private static final double IDLE = 0.01;

  /** Shares at the end of the fine-tuning; without one, those of the search. */
  private static final String TUNED = "SELECT layer, module, share FROM expert_load";

  private static final String SEARCHED =
      "SELECT layer, module, routed_tokens / nullif(sum(routed_tokens) OVER"
          + " (PARTITION BY strategy, seed, layer, module), 0) AS share"
          + " FROM plan_experts WHERE strategy = 'guilomo' AND seed ="
          + " (SELECT min(seed) FROM plan_experts WHERE strategy = 'guilomo')";

  @Override
  public Optional<Html> of(RunTables tables) {
    Optional<Html> tuned = of(tables, TUNED, "at the last validation of the fine-tuning");
    return tuned.isPresent() ? tuned : of(tables, SEARCHED, "in the search");
  }

  private static Optional<Html> of(RunTables tables, String shares, String when) {
    List<Row> rows =
        tables.rows(
            "SELECT layer, module, max(share) * count(*), count(*),"
                + " count_if(share < "
                + IDLE
                + "), max(share) FROM ("
                + shares
                + ") WHERE share IS NOT NULL GROUP BY layer, module");
    if (rows.isEmpty()) {
      return Optional.empty();
    }
    List<Grid.Cell> cells = new ArrayList<>();
    long experts = 0;
    long idle = 0;
    for (Row row : rows) {
      cells.add(new Grid.Cell(row.getInt(0), row.getString(1), row.getDouble(2)));
      experts += row.getLong(3);
      idle += row.getLong(4);
    }
    HeatMap map =
        new HeatMap(
            "Load of each module's busiest expert, 1.0 where all have the same",
            Grid.of(cells),
            value -> Numbers.format("%.1f", value),
            null);
    return Optional.of(
        Section.begin("Load of the experts")
            .element(
                "p",
                Numbers.format(
                    "%s of %s experts got less than 1 %% of their module's tokens %s.",
                    Numbers.count(idle), Numbers.count(experts), when))
            .add(map.html())
            .close("section"));
  }
}
