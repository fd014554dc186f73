package io.guilomo.spark.compare;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.metric.Interval;
import io.guilomo.metric.PairedDifference;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;

/** Strategies compared with the baseline: means over the seeds, and differences seed by seed. */
final class Comparison {

  private Comparison() {}

  /** One row per strategy and metric, in the configured order of the strategies. */
  static List<Compared> rows(GuilomoConfig config, List<Trial> trials) {
    TreeSet<String> metrics = new TreeSet<>(trials.get(0).metrics().keySet());
    trials.forEach(trial -> metrics.retainAll(trial.metrics().keySet()));
    List<Compared> rows = new ArrayList<>();
    for (String metric : metrics) {
      double[] baseline =
          values(of(config.compare().baseline(), trials), trial -> trial.metrics().get(metric));
      for (String strategy : config.compare().strategies()) {
        rows.add(row(config, metric, of(strategy, trials), strategy, baseline));
      }
    }
    return rows;
  }

  private static Compared row(
      GuilomoConfig config, String metric, List<Trial> trials, String strategy, double[] baseline) {
    double[] values = values(trials, trial -> trial.metrics().get(metric));
    double[] zeros = new double[values.length];
    PairedDifference own = PairedDifference.of(values, zeros);
    PairedDifference difference = PairedDifference.of(values, baseline);
    boolean several = values.length > 1;
    boolean compared = !strategy.equals(config.compare().baseline());
    Interval interval =
        several && compared ? difference.interval(config.evaluate().confidence()) : null;
    return new Compared(
        config.data().train(),
        strategy,
        values.length,
        metric,
        own.mean(),
        several ? own.deviation() : null,
        compared
            ? new ComparisonTable.Difference(
                difference.mean(),
                interval == null ? null : interval.low(),
                interval == null ? null : interval.high())
            : null,
        mean(trials, Trial::parameters),
        mean(trials, Trial::seconds));
  }

  private static List<Trial> of(String strategy, List<Trial> trials) {
    return trials.stream()
        .filter(trial -> trial.strategy().equals(strategy))
        .sorted(Comparator.comparingLong(Trial::seed))
        .toList();
  }

  private static double[] values(List<Trial> trials, ToDoubleFunction<Trial> value) {
    return trials.stream().mapToDouble(value).toArray();
  }

  private static double mean(List<Trial> trials, ToDoubleFunction<Trial> value) {
    return trials.stream().mapToDouble(value).average().orElseThrow();
  }
}
