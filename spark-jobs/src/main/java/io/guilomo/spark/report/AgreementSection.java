package io.guilomo.spark.report;

import io.guilomo.plan.AllocationStrategies;
import io.guilomo.spark.table.PlanModulesTable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** How well the plans of several seeds agree. */
final class AgreementSection implements ReportSection {

  @Override
  public Optional<Html> of(RunTables tables) {
    Map<Grid.Place, List<Long>> experts =
        tables.rows(PlanModulesTable.INSTANCE).stream()
            .filter(row -> AllocationStrategies.learns(row.getAs("strategy")))
            .collect(
                Collectors.groupingBy(
                    Grid.Place::of,
                    Collectors.mapping(row -> row.<Long>getAs("experts"), Collectors.toList())));
    experts.values().removeIf(seeds -> seeds.size() < 2);
    if (experts.isEmpty()) {
      return Optional.empty();
    }
    List<Grid.Cell> cells = new ArrayList<>();
    experts.forEach(
        (place, seeds) ->
            cells.add(new Grid.Cell(place.layer(), place.module(), agreement(seeds))));
    long alike = cells.stream().filter(cell -> cell.value() == 1).count();
    double spread =
        experts.values().stream()
            .mapToLong(seeds -> Collections.max(seeds) - Collections.min(seeds))
            .average()
            .orElseThrow();
    HeatMap map =
        new HeatMap(
            "Share of the seeds that give a module its most common number of experts",
            Grid.of(cells),
            value -> Numbers.format("%.0f %%", 100 * value),
            null);
    return Optional.of(
        ReportSection.begin("Agreement between seeds")
            .element(
                "p",
                Numbers.format(
                    "%d seeds give the same number of experts to %d of %d modules; on average, the largest and the"
                        + " smallest number of a module differ by %.1f.",
                    experts.values().iterator().next().size(), alike, experts.size(), spread))
            .add(map.html())
            .close("section"));
  }

  /** Share of the seeds that have the most common number. */
  private static double agreement(List<Long> seeds) {
    int most =
        seeds.stream().mapToInt(count -> Collections.frequency(seeds, count)).max().orElse(0);
    return (double) most / seeds.size();
  }
}
