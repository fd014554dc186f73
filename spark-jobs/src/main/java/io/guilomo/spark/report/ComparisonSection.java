package io.guilomo.spark.report;

import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import io.guilomo.spark.table.ComparisonTable.Difference;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** How the strategies differ from the baseline, with links to the reports of their runs. */
final class ComparisonSection implements ReportSection {

  private static final List<String> COLUMNS =
      List.of(
          "strategy", "mean", "± over seeds", "difference", "interval", "parameters", "seconds");

  /** Losses and baselines last. */
  private static final Comparator<Compared> ORDER =
      Comparator.comparing((Compared strategy) -> strategy.metric().equals("loss"))
          .thenComparing(Compared::metric)
          .thenComparing(strategy -> strategy.difference() == null)
          .thenComparing(strategy -> !strategy.strategy().equals("guilomo"))
          .thenComparing(Compared::strategy);

  @Override
  public Optional<Html> of(RunTables tables) {
    Map<String, List<Compared>> metrics = metrics(tables);
    if (metrics.isEmpty()) {
      return Optional.empty();
    }
    Html html = ReportSection.begin("Comparison of the strategies");
    metrics.forEach((metric, strategies) -> table(html, metric, strategies));
    html.close("section");
    List<String> runs = tables.trials();
    if (!runs.isEmpty()) {
      html.add(ReportSection.begin("Runs of the comparison")).open("ul", "class", "runs");
      for (String run : runs) {
        html.open("li").element("a", run, "href", "../" + run + "/report.html").close("li");
      }
      html.close("ul").close("section");
    }
    return Optional.of(html);
  }

  /** The verdict of the comparison by its first metric. */
  static Optional<String> verdict(RunTables tables) {
    return metrics(tables).entrySet().stream()
        .findFirst()
        .map(metric -> "By " + metric.getKey() + ", " + verdict(metric.getValue()));
  }

  /** The means of the first metric, in one line. */
  static Optional<String> means(RunTables tables) {
    return metrics(tables).entrySet().stream()
        .findFirst()
        .map(
            metric ->
                metric.getValue().stream()
                    .map(strategy -> strategy.strategy() + " " + Numbers.measured(strategy.mean()))
                    .collect(Collectors.joining(", ", "Mean " + metric.getKey() + ": ", ".")));
  }

  /** The strategies of each metric, losses last. */
  private static Map<String, List<Compared>> metrics(RunTables tables) {
    return tables.rows(ComparisonTable.INSTANCE).stream()
        .map(Compared::of)
        .sorted(ORDER)
        .collect(Collectors.groupingBy(Compared::metric, LinkedHashMap::new, Collectors.toList()));
  }

  private static void table(Html html, String metric, List<Compared> strategies) {
    html.element("h3", metric)
        .open("p")
        .text("By " + metric + ", " + verdict(strategies))
        .close("p");
    differences(metric, strategies).ifPresent(chart -> html.add(chart.html()));
    ReportSection.table(
        html,
        Numbers.format("Means over %d seeds, with paired differences", strategies.get(0).seeds()),
        COLUMNS);
    strategies.forEach(strategy -> line(html, strategy));
    html.close("tbody").close("table").close("div");
  }

  /** Whether any strategy differs from the baseline by more than the seeds vary. */
  static String verdict(List<Compared> strategies) {
    String baseline = baseline(strategies);
    List<Compared> others =
        strategies.stream().filter(strategy -> strategy.difference() != null).toList();
    if (others.stream().allMatch(strategy -> strategy.difference().low() == null)) {
      return "a single seed says nothing about chance, so there are no intervals.";
    }
    List<String> differing =
        others.stream()
            .filter(strategy -> strategy.difference().beyondChance())
            .map(Compared::strategy)
            .toList();
    if (differing.isEmpty()) {
      return "no strategy differs from "
          + baseline
          + " by more than chance: every interval contains 0.";
    }
    String verb = differing.size() == 1 ? " differs" : " differ";
    return String.join(", ", differing) + verb + " from " + baseline + " by more than chance.";
  }

  /** The differences, unless there is only the baseline. */
  private static Optional<IntervalChart> differences(String metric, List<Compared> strategies) {
    List<IntervalChart.Interval> rows =
        strategies.stream()
            .filter(strategy -> strategy.difference() != null)
            .map(strategy -> interval(strategy.strategy(), strategy.difference()))
            .toList();
    String across = "difference from " + baseline(strategies);
    return rows.isEmpty()
        ? Optional.empty()
        : Optional.of(new IntervalChart(metric + ": " + across, across, rows, List.of(0.0)));
  }

  private static IntervalChart.Interval interval(String name, Difference difference) {
    double mean = difference.mean();
    return difference.low() == null
        ? new IntervalChart.Interval(name, mean, mean, mean)
        : new IntervalChart.Interval(name, difference.low(), mean, difference.high());
  }

  private static String baseline(List<Compared> strategies) {
    return strategies.stream()
        .filter(strategy -> strategy.difference() == null)
        .map(Compared::strategy)
        .findFirst()
        .orElse("the baseline");
  }

  private static void line(Html html, Compared strategy) {
    html.open("tr").element("th", strategy.strategy(), "scope", "row");
    number(html, Numbers.measured(strategy.mean()));
    number(html, strategy.sd() == null ? "–" : Numbers.measured(strategy.sd()));
    Difference difference = strategy.difference();
    if (difference == null) {
      number(html, "baseline");
      html.element("td", "");
    } else {
      number(html, Numbers.difference(difference.mean()));
      number(
          html,
          difference.low() == null
              ? "–"
              : Numbers.format("[%+.4f, %+.4f]", difference.low(), difference.high()));
    }
    number(html, Numbers.count(Math.round(strategy.parameters())));
    number(html, Numbers.count(Math.round(strategy.seconds())));
    html.close("tr");
  }

  private static void number(Html html, String text) {
    html.element("td", text, "class", "number");
  }
}
