package io.guilomo.metric;

import io.guilomo.data.Seeds;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Bootstrap over records (Efron, Annals of Statistics 7, 1979): how a metric varies when records
 * are resampled with replacement. The interval is that of the percentiles; of a metric that noise
 * raises it is the basic one, which reflects them at the value, because drawing again adds as much
 * noise as the records already have (Davison and Hinkley, Bootstrap Methods and their Application,
 * section 5.2). The same seed gives the same interval.
 *
 * @param samples number of bootstrap samples
 */
public record Bootstrap(int samples, double confidence, long seed) {

  public Bootstrap {
    if (samples < 1) {
      throw new IllegalArgumentException(
          String.format("Cannot estimate an interval from %d samples", samples));
    }
    Interval.checkConfidence(confidence);
  }

  public Interval interval(Metric metric, List<Scored> records, int classes) {
    check(records);
    Interval interval =
        interval(metric, records.size(), drawn -> metric.of(at(records, drawn), classes));
    return metric.raisedByNoise()
        ? new Interval(Math.max(0, interval.low()), Math.max(0, interval.high()))
        : interval;
  }

  /**
   * The interval of {@code metric(records) − metric(others)}, where both answer the same questions
   * in the same order; every sample takes the same records of both.
   */
  public Interval difference(
      Metric metric, List<Scored> records, List<Scored> others, int classes) {
    check(records);
    for (int i = 0; i < records.size(); i++) {
      if (records.size() != others.size() || records.get(i).gold() != others.get(i).gold()) {
        throw new IllegalArgumentException(
            String.format(
                "Cannot compare %d records with %d: they are not the same records",
                records.size(), others.size()));
      }
    }
    return interval(
        metric,
        records.size(),
        drawn -> metric.of(at(records, drawn), classes) - metric.of(at(others, drawn), classes));
  }

  private Interval interval(Metric metric, int records, ToDoubleFunction<int[]> value) {
    double[] values = new double[samples];
    int[] drawn = new int[records];
    for (int sample = 0; sample < samples; sample++) {
      SplittableRandom random = new SplittableRandom(Seeds.mix(seed, sample));
      for (int i = 0; i < records; i++) {
        drawn[i] = random.nextInt(records);
      }
      values[sample] = value.applyAsDouble(drawn);
    }
    Arrays.sort(values);
    double tail = (1 - confidence) / 2;
    double low = quantile(values, tail);
    double high = quantile(values, 1 - tail);
    if (!metric.raisedByNoise()) {
      return new Interval(low, high);
    }
    double ofAll = value.applyAsDouble(IntStream.range(0, records).toArray());
    return new Interval(2 * ofAll - high, 2 * ofAll - low);
  }

  private static void check(List<Scored> records) {
    if (records.isEmpty()) {
      throw new IllegalArgumentException("Cannot estimate an interval from no records");
    }
  }

  private static List<Scored> at(List<Scored> records, int[] drawn) {
    return Arrays.stream(drawn).mapToObj(records::get).toList();
  }

  /** The quantile, interpolated linearly between the two nearest values. */
  static double quantile(double[] sorted, double share) {
    double at = share * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }
}
