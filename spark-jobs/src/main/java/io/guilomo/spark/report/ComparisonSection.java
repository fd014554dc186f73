package io.guilomo.spark.report;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import io.guilomo.spark.table.ComparisonTable.Difference;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.RunLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The scores of the strategies over their parameters, at each routing and sharing, how they differ
 * from the baseline, and links to the reports of their runs.
 */
final class ComparisonSection implements ReportSection {

  private static final String NOTHING = "–";

  /** Of comparisons whose configuration cannot be read any more. */
  private static final double CONFIDENCE = 0.95;

  /** Losses and baselines last. */
  private static final Comparator<Compared> ORDER =
      Comparator.comparing((Compared strategy) -> strategy.metric().equals(EvaluationsTable.LOSS))
          .thenComparing(Compared::metric)
          .thenComparing(strategy -> strategy.size().budget(), Comparator.nullsFirst(Long::compare))
          .thenComparing(strategy -> strategy.difference() == null)
          .thenComparing(strategy -> !strategy.strategy().equals("guilomo"))
          .thenComparing(Compared::strategy)
          .thenComparing(Compared::routing, Comparator.nullsFirst(String::compareTo))
          .thenComparing(Compared::sharing, Comparator.nullsFirst(String::compareTo));

  @Override
  public Optional<Html> of(RunTables tables) {
    Map<String, List<Compared>> metrics = metrics(tables);
    if (metrics.isEmpty()) {
      return Optional.empty();
    }
    Html html = ReportSection.begin("Comparison of the strategies");
    double confidence = advice(tables, metrics).map(Advice::confidence).orElse(CONFIDENCE);
    metrics.forEach((metric, strategies) -> table(html, metric, strategies, confidence));
    html.close("section");
    List<String> runs = tables.trials();
    if (!runs.isEmpty()) {
      html.add(ReportSection.begin("Runs of the comparison")).open("ul", "class", "runs");
      for (String run : runs) {
        html.open("li").element("a", run, "href", "../" + run + "/" + RunLayout.REPORT).close("li");
      }
      html.close("ul").close("section");
    }
    return Optional.of(html);
  }

  /** What the comparison advises, or else its verdict by its first metric. */
  static List<String> findings(RunTables tables) {
    Map<String, List<Compared>> metrics = metrics(tables);
    if (metrics.isEmpty()) {
      return List.of();
    }
    Map.Entry<String, List<Compared>> first = metrics.entrySet().iterator().next();
    Optional<Advice> advice = advice(tables, metrics);
    List<String> findings = new ArrayList<>();
    findings.add(
        advice
            .flatMap(Advice::sentence)
            .orElseGet(
                () ->
                    "By "
                        + first.getKey()
                        + ", "
                        + verdict(
                            first.getValue(), advice.map(Advice::confidence).orElse(CONFIDENCE))));
    advice.flatMap(Advice::amongRandomPlans).ifPresent(findings::add);
    if (!hasCurves(first.getValue())) {
      findings.add(means(first.getKey(), first.getValue()));
    }
    return findings;
  }

  private static Optional<Advice> advice(RunTables tables, Map<String, List<Compared>> metrics) {
    List<Compared> all = metrics.values().stream().flatMap(List::stream).toList();
    return tables.jobs().stream()
        .filter(job -> job.getAs("job").equals(JobRun.COMPARE))
        .findFirst()
        .flatMap(
            job -> {
              try {
                return Optional.of(
                    Advice.of(all, GuilomoConfig.fromJson(job.getAs("config_json"))));
              } catch (UserException e) {
                // Of a release that knew other keys.
                return Optional.empty();
              }
            });
  }

  /** In one line. */
  private static String means(String metric, List<Compared> strategies) {
    Function<Compared, String> names = ComparisonTable.names(strategies);
    return strategies.stream()
        .map(strategy -> names.apply(strategy) + " " + Numbers.measured(strategy.score().mean()))
        .collect(Collectors.joining(", ", "Mean " + metric + ": ", "."));
  }

  /** The strategies of each metric, losses last. */
  private static Map<String, List<Compared>> metrics(RunTables tables) {
    return tables.rows(ComparisonTable.INSTANCE).stream()
        .map(Compared::of)
        .sorted(ORDER)
        .collect(Collectors.groupingBy(Compared::metric, LinkedHashMap::new, Collectors.toList()));
  }

  private static void table(
      Html html, String metric, List<Compared> strategies, double confidence) {
    html.element("h3", metric)
        .open("p")
        .text("By " + metric + ", " + verdict(strategies, confidence))
        .close("p");
    if (hasCurves(strategies)) {
      html.add(curves(metric, strategies).html());
    } else {
      differences(metric, strategies).ifPresent(chart -> html.add(chart.html()));
    }
    ReportSection.table(
        html,
        Numbers.format("Means over %d seeds, with paired differences", strategies.get(0).seeds()),
        List.of(
            "strategy",
            "parameters",
            "mean",
            "± over seeds",
            "difference",
            "interval",
            "random plans beaten",
            "learning rate",
            "seconds",
            "of them searching",
            "epochs of fine-tuning in that time"));
    String baseline = baseline(strategies);
    Function<Compared, String> names = ComparisonTable.names(strategies);
    strategies.forEach(strategy -> line(html, names.apply(strategy), strategy, baseline));
    html.close("tbody").close("table").close("div");
  }

  private static boolean hasCurves(List<Compared> strategies) {
    return hasCombinations(strategies)
        || strategies.stream().anyMatch(strategy -> strategy.size().budget() != null);
  }

  /** Whether there are several routings or sharings. */
  private static boolean hasCombinations(List<Compared> strategies) {
    return strategies.stream()
            .map(row -> Arrays.asList(row.routing(), row.sharing()))
            .distinct()
            .count()
        > 1;
  }

  /**
   * Every strategy at each routing and sharing over its parameters, the baseline first; no more
   * than can be told apart.
   */
  private static CurveChart curves(String metric, List<Compared> strategies) {
    String baseline = baseline(strategies);
    Function<Compared, String> names = ComparisonTable.names(strategies);
    Map<String, List<CurveChart.Point>> points = new LinkedHashMap<>();
    points.put(baseline, new ArrayList<>());
    for (Compared row : strategies) {
      double mean = row.score().mean();
      boolean interval = row.score().low() != null;
      points
          .computeIfAbsent(names.apply(row), name -> new ArrayList<>())
          .add(
              new CurveChart.Point(
                  row.size().parameters(),
                  interval ? row.score().low() : mean,
                  mean,
                  interval ? row.score().high() : mean));
    }
    List<CurveChart.Curve> curves =
        points.entrySet().stream()
            .filter(curve -> !curve.getValue().isEmpty())
            .limit(CurveChart.CURVES)
            .map(curve -> new CurveChart.Curve(curve.getKey(), curve.getValue()))
            .toList();
    return new CurveChart(metric + " over trainable parameters", "trainable parameters", curves);
  }

  /** Whether any row differs from the baseline, as {@link Advice} decides that. */
  static String verdict(List<Compared> strategies, double confidence) {
    String baseline = baseline(strategies);
    if (strategies.stream()
        .noneMatch(row -> row.difference() != null && row.difference().ofSeeds())) {
      return "a single seed says nothing about chance, so there are no intervals over seeds.";
    }
    Function<Compared, String> names = ComparisonTable.names(strategies);
    List<Compared> tested = Advice.tested(strategies);
    double level = Advice.level(confidence, tested.size());
    List<String> differing =
        tested.stream()
            .filter(strategy -> strategy.difference().beyondChance(level))
            .map(row -> named(names.apply(row), row))
            .toList();
    if (differing.isEmpty()) {
      return (hasCombinations(strategies) ? "no combination" : "no strategy")
          + " differs from "
          + baseline
          + " by more than chance"
          + (tested.stream().noneMatch(row -> row.difference().excludesZero())
              ? ": every interval contains 0."
              : Numbers.format(
                  ", as %d are compared, although some intervals exclude 0.", tested.size()));
    }
    String verb = differing.size() == 1 ? " differs" : " differ";
    return String.join(", ", differing) + verb + " from " + baseline + " by more than chance.";
  }

  private static String named(String name, Compared row) {
    return row.size().budget() == null ? name : Advice.named(name, row);
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

  /** What never differs from itself. */
  private static String baseline(List<Compared> strategies) {
    Function<Compared, String> names = ComparisonTable.names(strategies);
    return strategies.stream()
        .filter(row -> !row.strategy().equals(ComparisonTable.FULL))
        .map(names)
        .filter(
            name ->
                strategies.stream()
                    .filter(row -> names.apply(row).equals(name))
                    .allMatch(row -> row.difference() == null))
        .findFirst()
        .orElse("the baseline");
  }

  private static void line(Html html, String name, Compared row, String baseline) {
    Difference difference = row.difference();
    html.open("tr").element("th", name, "scope", "row");
    number(html, Numbers.count(Math.round(row.size().parameters())));
    number(html, Numbers.measured(row.score().mean()));
    number(html, row.score().sd() == null ? NOTHING : Numbers.measured(row.score().sd()));
    if (difference == null) {
      number(html, name.equals(baseline) ? "baseline" : NOTHING);
      html.element("td", "");
    } else {
      number(html, Numbers.difference(difference.mean()));
      number(html, interval(difference));
    }
    number(
        html,
        row.random() == null ? NOTHING : row.random().beaten() + " of " + row.random().plans());
    number(html, row.training() == null ? NOTHING : String.valueOf(row.training().learningRate()));
    number(html, Numbers.count(Math.round(row.cost().seconds())));
    Double search = row.cost().searchSeconds();
    number(html, search == null ? NOTHING : Numbers.count(Math.round(search)));
    Double epochs = row.cost().searchEpochs();
    number(html, epochs == null ? NOTHING : Numbers.oneDecimal(epochs));
    html.close("tr");
  }

  private static String interval(Difference difference) {
    return difference.low() == null
        ? NOTHING
        : Numbers.format("[%+.4f, %+.4f]", difference.low(), difference.high())
            + (difference.ofSeeds() ? "" : " over the records");
  }

  private static void number(Html html, String text) {
    html.element("td", text, "class", "number");
  }
}
