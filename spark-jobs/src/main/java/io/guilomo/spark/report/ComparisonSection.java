package io.guilomo.spark.report;

import io.guilomo.spark.table.ComparisonTable;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;

/** How the strategies differ from the baseline. */
final class ComparisonSection implements Section {

  private static final List<String> COLUMNS =
      List.of(
          "strategy", "mean", "± over seeds", "difference", "interval", "parameters", "seconds");

  /** A row of the table; values that one seed or the baseline does not have are null. */
  record Strategy(
      String metric,
      String name,
      long seeds,
      double mean,
      Double deviation,
      Double difference,
      Double low,
      Double high,
      double parameters,
      double seconds) {

    private static Strategy of(Row row) {
      return new Strategy(
          row.getAs("metric"),
          row.getAs("strategy"),
          row.getAs("seeds"),
          row.getAs("mean"),
          row.getAs("sd"),
          row.getAs("diff_to_baseline"),
          row.getAs("ci_low"),
          row.getAs("ci_high"),
          row.getAs("parameters"),
          row.getAs("seconds"));
    }

    boolean differs() {
      return low != null && (low > 0 || high < 0);
    }
  }

  /** Losses and baselines last. */
  private static final Comparator<Strategy> ORDER =
      Comparator.comparing((Strategy strategy) -> strategy.metric().equals("loss"))
          .thenComparing(Strategy::metric)
          .thenComparing(strategy -> strategy.difference() == null)
          .thenComparing(strategy -> !strategy.name().equals("guilomo"))
          .thenComparing(Strategy::name);

  @Override
  public Optional<Html> of(RunTables tables) {
    Map<String, List<Strategy>> metrics = metrics(tables);
    if (metrics.isEmpty()) {
      return Optional.empty();
    }
    Html html = Section.begin("Comparison of the strategies");
    metrics.forEach((metric, strategies) -> table(html, metric, strategies));
    return Optional.of(html.close("section"));
  }

  /** What the comparison says by its first metric. */
  static Optional<String> verdict(RunTables tables) {
    return metrics(tables).entrySet().stream()
        .findFirst()
        .map(metric -> "By " + metric.getKey() + ", " + verdict(metric.getValue()));
  }

  /** The means of the first metric, on one line. */
  static Optional<String> means(RunTables tables) {
    return metrics(tables).entrySet().stream()
        .findFirst()
        .map(
            metric ->
                metric.getValue().stream()
                    .map(strategy -> strategy.name() + " " + Numbers.measured(strategy.mean()))
                    .collect(Collectors.joining(", ", "Mean " + metric.getKey() + ": ", ".")));
  }

  /** The strategies of each metric, losses last. */
  private static Map<String, List<Strategy>> metrics(RunTables tables) {
    return tables.rows(ComparisonTable.INSTANCE).stream()
        .map(Strategy::of)
        .sorted(ORDER)
        .collect(Collectors.groupingBy(Strategy::metric, LinkedHashMap::new, Collectors.toList()));
  }

  private static void table(Html html, String metric, List<Strategy> strategies) {
    html.element("h3", metric)
        .open("p")
        .text("By " + metric + ", " + verdict(strategies))
        .close("p");
    differences(metric, strategies).ifPresent(chart -> html.add(chart.html()));
    html.open("div", "class", "scroll").open("table");
    html.element(
        "caption",
        Numbers.format("Means of %d seeds, differences in pairs", strategies.get(0).seeds()));
    Section.head(html, COLUMNS);
    strategies.forEach(strategy -> line(html, strategy));
    html.close("tbody").close("table").close("div");
  }

  /** Whether any strategy differs from the baseline by more than the seeds make it. */
  static String verdict(List<Strategy> strategies) {
    String baseline = baseline(strategies);
    if (strategies.stream().allMatch(strategy -> strategy.low() == null)) {
      return "one seed tells nothing about chance: there are no intervals.";
    }
    List<String> differing =
        strategies.stream().filter(Strategy::differs).map(Strategy::name).toList();
    if (differing.isEmpty()) {
      return "no strategy differs from "
          + baseline
          + " by more than chance: every interval contains 0.";
    }
    String verb = differing.size() == 1 ? " differs" : " differ";
    return String.join(", ", differing) + verb + " from " + baseline + " by more than chance.";
  }

  /** The differences, unless the baseline is alone. */
  private static Optional<IntervalChart> differences(String metric, List<Strategy> strategies) {
    List<IntervalChart.Interval> rows =
        strategies.stream()
            .filter(strategy -> strategy.difference() != null)
            .map(
                strategy ->
                    strategy.low() == null
                        ? new IntervalChart.Interval(
                            strategy.name(),
                            strategy.difference(),
                            strategy.difference(),
                            strategy.difference())
                        : new IntervalChart.Interval(
                            strategy.name(),
                            strategy.low(),
                            strategy.difference(),
                            strategy.high()))
            .toList();
    String across = "difference from " + baseline(strategies);
    return rows.isEmpty()
        ? Optional.empty()
        : Optional.of(new IntervalChart(metric + ": " + across, across, rows, List.of(0.0)));
  }

  private static String baseline(List<Strategy> strategies) {
    return strategies.stream()
        .filter(strategy -> strategy.difference() == null)
        .map(Strategy::name)
        .findFirst()
        .orElse("the baseline");
  }

  private static void line(Html html, Strategy strategy) {
    html.open("tr").element("th", strategy.name(), "scope", "row");
    number(html, Numbers.measured(strategy.mean()));
    number(html, strategy.deviation() == null ? "–" : Numbers.measured(strategy.deviation()));
    if (strategy.difference() == null) {
      number(html, "baseline");
      html.element("td", "");
    } else {
      boolean interval = strategy.low() != null;
      number(html, Numbers.difference(strategy.difference()));
      number(
          html, interval ? Numbers.format("[%+.4f, %+.4f]", strategy.low(), strategy.high()) : "–");
    }
    number(html, Numbers.count(Math.round(strategy.parameters())));
    number(html, Numbers.count(Math.round(strategy.seconds())));
    html.close("tr");
  }

  private static void number(Html html, String text) {
    html.element("td", text, "class", "number");
  }
}
