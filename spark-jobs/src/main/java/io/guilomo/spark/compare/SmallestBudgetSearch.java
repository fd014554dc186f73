package io.guilomo.spark.compare;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.plan.RandomAllocation;
import io.guilomo.spark.report.Numbers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The search for the smallest budget whose plans are as good as the full allocation: each strategy
 * is trained with smaller and smaller ones until, for the first time, its plans are not as good
 * with the asked confidence. A sequence of tests that ends with the first that fails has the
 * confidence of a single one (Maurer, Hothorn and Lehmacher 1995), which a bisection has not.
 */
record SmallestBudgetSearch(
    GuilomoConfig config, Plans plans, Tunings tunings, BestRates rates, RecordedRuns recorded) {

  /**
   * Trains the full allocation, then the strategies.
   *
   * @param best gets the learning rates, by trial without its seed
   * @return all plans that were trained
   */
  List<Planned> run(List<String> strategies, Map<Trial, Double> best) throws IOException {
    List<Planned> full = plans.full();
    best.putAll(rates.of(full));
    double[] fullLosses = losses(full, best);
    List<Planned> all = new ArrayList<>();
    List<String> left = strategies;
    for (long level :
        config.compare().descendingBudgets(plans.fullParameters(), plans.least(strategies))) {
      List<Planned> planned =
          plans.all(List.of(level), config.compare().with(left, RandomAllocation.STRATEGY));
      best.putAll(rates.of(planned));
      all.addAll(planned);
      List<String> asGood = new ArrayList<>();
      for (String strategy : left) {
        List<Planned> own =
            planned.stream().filter(one -> one.trial().strategy().equals(strategy)).toList();
        if (!own.isEmpty() && isAsGood(own, GapToFull.of(losses(own, best), fullLosses))) {
          asGood.add(strategy);
        }
      }
      left = asGood;
      // Random plans that nobody asked to compare are there for the others.
      if (left.stream().noneMatch(config.compare().strategies()::contains)) {
        break;
      }
    }
    all.addAll(full);
    return all;
  }

  private boolean isAsGood(List<Planned> own, GapToFull gap) {
    double margin = config.compare().margin();
    double confidence = gap.below(margin);
    boolean asGood = confidence >= config.evaluate().confidence();
    plans.message(
        Numbers.format(
            "%s: validation loss %.2f %% %s the full allocation's, %s: less than %.1f %% above it with"
                + " %.1f %% confidence",
            own.get(0).trial().setting(),
            100 * Math.abs(gap.mean()),
            gap.mean() < 0 ? "below" : "above",
            asGood ? "as good" : "not shown to be as good",
            100 * margin,
            100 * confidence));
    return asGood;
  }

  /** Validation losses of the adapters that each seed kept with its rate. */
  private double[] losses(List<Planned> seeds, Map<Trial, Double> best) throws IOException {
    List<String> runs = new ArrayList<>();
    for (Planned seed : seeds) {
      runs.add(tunings.chosen(seed, best.get(seed.trial().ofAnySeed())).runId());
    }
    Map<String, Validated> validated = recorded.validated(config.finetune().bestBy());
    return runs.stream().mapToDouble(run -> validated.get(run).loss()).toArray();
  }
}
