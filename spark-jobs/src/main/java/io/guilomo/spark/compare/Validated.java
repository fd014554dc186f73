package io.guilomo.spark.compare;

import io.guilomo.config.FinetuneConfig.Criterion;
import java.util.Collection;
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

  /** The better ones first. */
  private static Comparator<Validated> by(Criterion criterion) {
    return criterion == Criterion.LOSS
        ? Comparator.comparingDouble(Validated::loss)
        : Comparator.comparingDouble(one -> -one.accuracy());
  }

  /**
   * The validation of a fine-tuning whose adapter is kept: of equals the first.
   *
   * @param validations in their order; at least one
   */
  static Validated kept(Collection<Validated> validations, Criterion criterion) {
    return validations.stream().min(by(criterion)).orElseThrow();
  }

  /**
   * The learning rate that is best on average over the seeds, of equals the one with the lower loss
   * and then the lowest; none with which a seed's training diverged, if there is another. One rate
   * for all seeds, so that they stay replicates of one setting; the mean has less noise to be
   * chosen for than each seed's best.
   *
   * @param byRate what each seed's adapter came to, by rate; at least one
   */
  static double bestRate(Map<Double, List<Validated>> byRate, Criterion criterion) {
    return byRate.entrySet().stream()
        .min(
            Comparator.comparing(
                    (Map.Entry<Double, List<Validated>> one) -> mean(one.getValue()),
                    Comparator.comparing(Validated::diverged)
                        .thenComparing(by(criterion))
                        .thenComparing(by(Criterion.LOSS)))
                .thenComparing(Map.Entry.comparingByKey()))
        .orElseThrow()
        .getKey();
  }

  boolean diverged() {
    return Double.isInfinite(loss);
  }

  static Validated mean(List<Validated> seeds) {
    return new Validated(
        seeds.stream().mapToDouble(Validated::loss).average().orElseThrow(),
        seeds.stream().mapToDouble(Validated::accuracy).average().orElseThrow());
  }
}
