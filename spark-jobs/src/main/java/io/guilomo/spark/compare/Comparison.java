package io.guilomo.spark.compare;

import io.guilomo.config.Axes.Combination;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.metric.Interval;
import io.guilomo.metric.PairedDifference;
import io.guilomo.plan.RandomAllocation;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import io.guilomo.spark.table.ComparisonTable.Cost;
import io.guilomo.spark.table.ComparisonTable.Difference;
import io.guilomo.spark.table.ComparisonTable.RandomPlans;
import io.guilomo.spark.table.ComparisonTable.Score;
import io.guilomo.spark.table.ComparisonTable.Size;
import io.guilomo.spark.table.ComparisonTable.Training;
import io.guilomo.spark.table.EvaluationsTable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;

/**
 * The trials of a comparison side by side, one row per metric, budget, routing, sharing and
 * strategy: means over the seeds, and differences seed by seed.
 *
 * @param full trainable parameters of the full allocation
 * @param outcomes of all trials
 * @param records what the intervals of a single seed vary
 */
record Comparison(GuilomoConfig config, long full, List<Outcome> outcomes, RecordScores records) {

  List<Compared> rows() {
    TreeSet<String> metrics = new TreeSet<>(outcomes.get(0).metrics().keySet());
    outcomes.forEach(outcome -> metrics.retainAll(outcome.metrics().keySet()));
    List<String> strategies =
        new ArrayList<>(config.compare().strategiesWith(RandomAllocation.STRATEGY));
    strategies.add(ComparisonTable.FULL);
    List<Compared> rows = new ArrayList<>();
    for (String metric : metrics) {
      for (long level : levels()) {
        for (Combination combination : config.compare().axes().combinations()) {
          for (String strategy : strategies) {
            List<Outcome> own = of(strategy, combination, level);
            if (!own.isEmpty()) {
              rows.add(row(metric, own));
            }
          }
        }
      }
    }
    return rows;
  }

  private List<Long> levels() {
    return outcomes.stream().map(one -> one.trial().level()).distinct().sorted().toList();
  }

  /** One for each seed, in the order of the seeds; none if the strategy has none of this budget. */
  private List<Outcome> of(String strategy, Combination combination, long level) {
    Trial sought = new Trial(strategy, combination, level, 0);
    return outcomes.stream()
        .filter(one -> one.trial().ofAnySeed().equals(sought) && one.trial().draw() == 0)
        .sorted(Comparator.comparingLong(one -> one.trial().seed()))
        .toList();
  }

  private List<Outcome> ofFirst(String strategy, long level) {
    return of(strategy, config.compare().axes().first(), level);
  }

  private Compared row(String metric, List<Outcome> own) {
    Trial first = own.get(0).trial();
    double[] values = values(own, outcome -> outcome.metrics().get(metric));
    PairedDifference level = PairedDifference.of(values, new double[values.length]);
    boolean several = values.length > 1;
    Interval ofMean = several ? level.interval(config.evaluate().confidence()) : null;
    return new Compared(
        config.data().records().text(),
        first.strategy(),
        first.combination().routing(),
        first.combination().sharing(),
        values.length,
        metric,
        new Score(
            level.mean(),
            several ? level.deviation() : null,
            several ? ofMean.low() : null,
            several ? ofMean.high() : null),
        difference(metric, own, values),
        new Size(mean(own, Outcome::parameters), first.level() > 0 ? first.level() : null, full),
        new Cost(
            mean(own, Outcome::seconds),
            mean(own, Outcome::searchSeconds),
            known(mean(own, Outcome::searchEpochs))),
        training(own),
        randomPlans(metric, own));
  }

  /** Null for the baseline, and where it has no plan of this budget. */
  private Difference difference(String metric, List<Outcome> own, double[] values) {
    Trial first = own.get(0).trial();
    List<Outcome> baseline = ofFirst(config.compare().baseline(), first.level());
    if (baseline.isEmpty() || baseline.equals(own)) {
      return null;
    }
    PairedDifference difference =
        PairedDifference.of(values, values(baseline, outcome -> outcome.metrics().get(metric)));
    if (difference.pairs() < 2) {
      return records
          .difference(metric, own.get(0).run(), baseline.get(0).run())
          .map(
              interval ->
                  new Difference(
                      difference.mean(),
                      interval.low(),
                      interval.high(),
                      ComparisonTable.OVER_RECORDS,
                      null))
          .orElseGet(() -> new Difference(difference.mean(), null, null, null, null));
    }
    Interval interval = difference.interval(config.evaluate().confidence());
    return new Difference(
        difference.mean(),
        interval.low(),
        interval.high(),
        ComparisonTable.OVER_SEEDS,
        difference.probability());
  }

  private Training training(List<Outcome> own) {
    double[] losses = values(own, outcome -> outcome.validated().loss());
    List<Outcome> whole = ofFirst(ComparisonTable.FULL, full);
    Double gap = null;
    Double asGood = null;
    if (!whole.isEmpty()) {
      GapToFull toFull = GapToFull.of(losses, values(whole, outcome -> outcome.validated().loss()));
      gap = toFull.mean();
      asGood = toFull.below(config.compare().margin());
    }
    return new Training(
        own.get(0).rate(), mean(own, outcome -> outcome.validated().loss()), gap, asGood);
  }

  /** Each random plan against the strategy's own plan of the same seed. */
  private RandomPlans randomPlans(String metric, List<Outcome> own) {
    Trial first = own.get(0).trial();
    if (config.compare().randomPlans() == 0
        || first.strategy().equals(RandomAllocation.STRATEGY)
        || first.strategy().equals(ComparisonTable.FULL)) {
      return null;
    }
    long plans = 0;
    long beaten = 0;
    for (RandomDraw draw : RandomDraw.all(config.compare())) {
      for (Outcome random : outcomes) {
        if (random.trial().equals(draw.trial(first))) {
          double ours =
              own.stream()
                  .filter(one -> one.trial().seed() == draw.seed())
                  .findFirst()
                  .orElseThrow()
                  .metrics()
                  .get(metric);
          double theirs = random.metrics().get(metric);
          plans++;
          beaten += (EvaluationsTable.lessIsBetter(metric) ? ours < theirs : ours > theirs) ? 1 : 0;
        }
      }
    }
    return plans == 0 ? null : new RandomPlans(plans, beaten);
  }

  private static Double known(double value) {
    return Double.isNaN(value) ? null : value;
  }

  private static double[] values(List<Outcome> outcomes, ToDoubleFunction<Outcome> value) {
    return outcomes.stream().mapToDouble(value).toArray();
  }

  private static double mean(List<Outcome> outcomes, ToDoubleFunction<Outcome> value) {
    return outcomes.stream().mapToDouble(value).average().orElseThrow();
  }
}
