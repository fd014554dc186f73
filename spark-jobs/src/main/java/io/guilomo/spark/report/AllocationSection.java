package io.guilomo.spark.report;

import io.guilomo.plan.AllocationStrategies;
import java.util.Optional;

/** How many experts each module got, and of which rank. */
final class AllocationSection implements ReportSection {

  @Override
  public Optional<Html> of(RunTables tables) {
    return Allocation.of(tables).map(AllocationSection::html);
  }

  private static Html html(Allocation allocation) {
    Html html = ReportSection.begin("Experts and ranks").open("p");
    html.text(
        Numbers.format(
            "%s experts of mean rank %.2f, %s trainable parameters, allocated by strategy ",
            Numbers.count(allocation.experts()),
            allocation.meanRank(),
            Numbers.count(allocation.parameters())));
    html.element("code", allocation.strategy()).text(". ").text(origin(allocation)).close("p");
    return html.open("div", "class", "pair")
        .add(experts(allocation).html())
        .add(ranks(allocation).html())
        .close("div")
        .close("section");
  }

  private static String origin(Allocation allocation) {
    if (AllocationStrategies.measures(allocation.strategy())) {
      return Numbers.format(
          "Read off a short training of all candidates with seed %d; another seed may give another plan.",
          allocation.seed());
    }
    if (AllocationStrategies.readsWeights(allocation.strategy())) {
      return "Read off the spectra of the frozen weights; nothing was learned.";
    }
    if (!allocation.learned()) {
      return "Nothing was learned.";
    }
    return allocation.seeds() == 1
        ? Numbers.format(
            "Learned with a single seed, %d; another seed may give another plan.",
            allocation.seed())
        : "The consensus of "
            // The number of seeds is unknown for a plan from a file.
            + (allocation.seeds() == 0 ? "several" : Numbers.count(allocation.seeds()))
            + " seeds.";
  }

  private static HeatMap experts(Allocation allocation) {
    Grid grid = allocation.expertGrid();
    return new HeatMap(
        "Experts of each module",
        grid,
        Numbers::oneDecimal,
        new HeatMap.Margin(
            "all",
            "mean",
            grid.layers().stream().map(layer -> (double) allocation.layerExperts(layer)).toList(),
            grid.modules().stream().map(allocation::moduleExperts).toList(),
            Numbers.count(allocation.experts())));
  }

  private static HeatMap ranks(Allocation allocation) {
    Grid grid = allocation.rankGrid();
    return new HeatMap(
        "Mean rank of each module's experts",
        grid,
        value -> Numbers.format("%.1f", value),
        new HeatMap.Margin(
            "mean",
            "mean",
            grid.layers().stream().map(allocation::layerRank).toList(),
            grid.modules().stream().map(allocation::moduleRank).toList(),
            Numbers.format("%.1f", allocation.meanRank())));
  }
}
