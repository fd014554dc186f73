package io.guilomo.spark.compare;

import io.guilomo.config.FinetuneConfig.Criterion;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * What the validation records say of an adapter.
 *
 * @param loss infinite if the training diverged
 */
record Validated(double loss, double accuracy) {

  static final Validated DIVERGED = new Validated(Double.POSITIVE_INFINITY, 0);

  /** The better ones first: by the criterion, then by loss. */
  static Comparator<Validated> first(Criterion criterion) {
    Comparator<Validated> byLoss = Comparator.comparingDouble(Validated::loss);
    return criterion == Criterion.LOSS
        ? byLoss
        : Comparator.comparingDouble((Validated one) -> -one.accuracy()).thenComparing(byLoss);
  }

  /**
   * The learning rate that is best on average over the seeds, the lowest of equals. One rate for
   * all seeds, so that they stay replicates of one setting; the mean has less noise to be chosen
   * for than each seed's best.
   *
   * @param byRate what each seed's adapter came to, by rate; at least one
   */
  static double bestRate(Map<Double, List<Validated>> byRate, Criterion criterion) {
    return byRate.entrySet().stream()
        .min(
            Comparator.comparing(
                    (Map.Entry<Double, List<Validated>> one) -> mean(one.getValue()),
                    first(criterion))
                .thenComparing(Map.Entry.comparingByKey()))
        .orElseThrow()
        .getKey();
  }

  static Validated mean(List<Validated> seeds) {
    return new Validated(
        seeds.stream().mapToDouble(Validated::loss).average().orElseThrow(),
        seeds.stream().mapToDouble(Validated::accuracy).average().orElseThrow());
  }
}
