package io.guilomo.spark.report;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.max_by;

import io.guilomo.plan.AllocationStrategies;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.PlanExpertsTable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;

/** How evenly the routers spread tokens over the experts of a module. */
final class LoadSection implements ReportSection {

  private static final double IDLE = 0.01;

  private record Share(Grid.Place place, double share) {}

  @Override
  public Optional<Html> of(RunTables tables) {
    List<Share> tuned = tuned(tables);
    return tuned.isEmpty()
        ? html(searched(tables), "during the search")
        : html(tuned, "at the last validation of fine-tuning");
  }

  /** Shares in the fine-tuning with the smallest seed. */
  private static List<Share> tuned(RunTables tables) {
    List<Row> rows = loads(tables);
    return rows.stream()
        .filter(row -> row.getLong(0) == rows.get(0).getLong(0))
        .map(row -> new Share(new Grid.Place(row.getInt(1), row.getString(2)), row.getDouble(4)))
        .toList();
  }

  /** Seed, layer, module, expert and its share of the tokens, ordered by the former. */
  private static List<Row> loads(RunTables tables) {
    return tables
        .measured(MetricsTable.INSTANCE)
        .filter(
            col("name")
                .equalTo(MetricsTable.EXPERT_LOAD)
                .and(col("worker").equalTo(MetricsTable.ALL_WORKERS)))
        .groupBy("seed", "layer", "module", "expert")
        .agg(max_by(col("value"), col("step")))
        .orderBy("seed", "layer", "module", "expert")
        .collectAsList();
  }

  /** Shares in the plan with the smallest seed. */
  private static List<Share> searched(RunTables tables) {
    List<Row> learned =
        tables.rows(PlanExpertsTable.INSTANCE).stream()
            .filter(row -> AllocationStrategies.learns(row.getAs("strategy")))
            .toList();
    OptionalLong seed = learned.stream().mapToLong(row -> row.<Long>getAs("seed")).min();
    Map<Grid.Place, List<Long>> routed =
        learned.stream()
            .filter(row -> row.<Long>getAs("seed") == seed.getAsLong())
            .collect(
                Collectors.groupingBy(
                    Grid.Place::of,
                    Collectors.mapping(
                        row -> row.<Long>getAs("routed_tokens"), Collectors.toList())));
    List<Share> shares = new ArrayList<>();
    routed.forEach(
        (place, tokens) -> {
          double all = tokens.stream().mapToLong(count -> count).sum();
          if (all > 0) {
            tokens.forEach(count -> shares.add(new Share(place, count / all)));
          }
        });
    return shares;
  }

  private static Optional<Html> html(List<Share> shares, String when) {
    if (shares.isEmpty()) {
      return Optional.empty();
    }
    Map<Grid.Place, List<Double>> loads =
        shares.stream()
            .collect(
                Collectors.groupingBy(
                    Share::place, Collectors.mapping(Share::share, Collectors.toList())));
    List<Grid.Cell> cells = new ArrayList<>();
    loads.forEach(
        (place, load) ->
            cells.add(
                new Grid.Cell(place.layer(), place.module(), Collections.max(load) * load.size())));
    long idle = shares.stream().filter(share -> share.share() < IDLE).count();
    HeatMap map =
        new HeatMap(
            "Load of each module's busiest expert; 1.0 means that all experts have the same load",
            Grid.of(cells),
            value -> Numbers.format("%.1f", value),
            null);
    return Optional.of(
        ReportSection.begin("Load of the experts")
            .element(
                "p",
                Numbers.format(
                    "%s of %s experts received less than 1 %% of their module's tokens %s.",
                    Numbers.count(idle), Numbers.count(shares.size()), when))
            .add(map.html())
            .close("section"));
  }
}
