package io.guilomo.spark.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** How far the plans of several seeds agree. */
final class AgreementSection implements Section {

  @Override
  public Optional<Html> of(RunTables tables) {
    if (Allocation.of(tables).filter(allocation -> allocation.seeds() > 1).isEmpty()) {
      return Optional.empty();
    }
    List<Row> rows =
        tables.rows(
            "SELECT layer, module, agreement, seeds, most_experts - least_experts FROM plan_agreement"
                + " WHERE seeds > 1");
    List<Grid.Cell> cells = new ArrayList<>();
    int alike = 0;
    double spread = 0;
    for (Row row : rows) {
      cells.add(new Grid.Cell(row.getInt(0), row.getString(1), row.getDouble(2)));
      alike += row.getDouble(2) == 1 ? 1 : 0;
      spread += (double) row.getLong(4) / rows.size();
    }
    HeatMap map =
        new HeatMap(
            "Share of the seeds that give a module its commonest number of experts",
            Grid.of(cells),
            value -> Numbers.format("%.0f %%", 100 * value),
            null);
    return Optional.of(
        Section.begin("Agreement of the seeds")
            .element(
                "p",
                Numbers.format(
                    "%d seeds give the same number of experts to %d of %d modules; between the most and the"
                        + " fewest of a module are %.1f on average.",
                    rows.get(0).getLong(3), alike, rows.size(), spread))
            .add(map.html())
            .close("section"));
  }
}
