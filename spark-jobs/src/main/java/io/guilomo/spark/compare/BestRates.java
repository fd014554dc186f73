package io.guilomo.spark.compare;

import io.guilomo.config.FinetuneConfig.Criterion;
import io.guilomo.model.UserException;
import io.guilomo.spark.compare.Tunings.Tuning;
import io.guilomo.spark.input.JobContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The learning rates: for every strategy, budget, routing and sharing the one that is best on the
 * validation records of the seeds that try them all.
 */
final class BestRates {

  private final JobContext context;
  private final Tunings tunings;
  private final RecordedRuns recorded;
  private final List<Double> rates;

  BestRates(JobContext context, Tunings tunings, RecordedRuns recorded) {
    this.context = context;
    this.tunings = tunings;
    this.recorded = recorded;
    this.rates =
        context.config().compare().learningRates(context.config().finetune().learningRate());
  }

  /** How many fine-tunings plans take, some of which may be the same. */
  long tunings(List<Planned> planned) {
    long tuned = tuned(planned).size();
    return tuned * rates.size() + planned.size() - tuned;
  }

  private List<Planned> tuned(List<Planned> planned) {
    List<Long> seeds = context.config().compare().seedsToTune();
    return planned.stream().filter(each -> seeds.contains(each.trial().seed())).toList();
  }

  /**
   * Fine-tunes and chooses.
   *
   * @return rates by trial without its seed
   */
  Map<Trial, Double> of(List<Planned> planned) throws IOException {
    Map<Trial, Map<Double, List<Tuning>>> groups = new LinkedHashMap<>();
    for (Planned each : tuned(planned)) {
      for (double rate : rates) {
        groups
            .computeIfAbsent(each.trial().ofAnySeed(), group -> new TreeMap<>())
            .computeIfAbsent(rate, group -> new ArrayList<>())
            .add(tunings.of(each, rate));
      }
    }
    Map<Trial, Double> best = new HashMap<>();
    if (rates.size() == 1) {
      groups.keySet().forEach(group -> best.put(group, rates.get(0)));
      return best;
    }
    Criterion criterion = context.config().finetune().bestBy();
    Map<String, Validated> validated = recorded.validated(criterion);
    groups.forEach(
        (group, byRate) -> {
          Map<Double, List<Validated>> seeds = new TreeMap<>();
          byRate.forEach(
              (rate, ofRate) ->
                  seeds.put(
                      rate,
                      ofRate.stream()
                          .map(
                              one ->
                                  one.diverged() ? Validated.DIVERGED : validated.get(one.runId()))
                          .toList()));
          best.put(group, chosen(group, seeds, criterion));
        });
    return best;
  }

  private double chosen(Trial group, Map<Double, List<Validated>> seeds, Criterion criterion) {
    double rate = Validated.bestRate(seeds, criterion);
    if (Validated.mean(seeds.get(rate)).diverged()) {
      throw new UserException(
          "Cannot compare strategy %s: training diverges with every one of compare.learning-rates;"
              + " add lower ones",
          group.combination().of(group.strategy()));
    }
    if (rate == rates.get(0) || rate == rates.get(rates.size() - 1)) {
      context.message(
          "%s is best with learning rate %s, the %s of compare.learning-rates: others beyond it may be better"
              .formatted(
                  group.setting(),
                  Tunings.text(rate),
                  rate == rates.get(0) ? "lowest" : "highest"));
    }
    return rate;
  }
}
