package io.guilomo.spark.compare;

import io.guilomo.config.Axes.Combination;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One plan that a comparison trains: what a strategy makes of a budget with a seed, for a routing
 * and a sharing.
 *
 * @param strategy name of an allocation strategy, or {@code full}
 * @param level budget in trainable parameters that all strategies share; 0 where the comparison has
 *     a single one, which may depend on the seed
 * @param seed of the search and of the training
 * @param draw further random plans of the seed are counted from 1; 0 for every other trial
 */
record Trial(String strategy, Combination combination, long level, long seed, int draw) {

  Trial(String strategy, Combination combination, long level, long seed) {
    this(strategy, combination, level, seed, 0);
  }

  /**
   * Its place in the names of runs and files: {@code uniform.42}, {@code random.52000.42.draw-3},
   * {@code uniform.dense.shared-a.42}.
   */
  String name() {
    return Stream.concat(Stream.of(strategy), combination.differing().stream())
            .collect(Collectors.joining("."))
        + (level > 0 ? "." + level : "")
        + "."
        + seed
        + (draw > 0 ? ".draw-" + draw : "");
  }

  /** What all seeds' trials have in common. */
  Trial ofAnySeed() {
    return new Trial(strategy, combination, level, 0);
  }

  /** What the user is told of all seeds' trials. */
  String setting() {
    return combination.of(strategy)
        + (level > 0 ? String.format(Locale.ROOT, " within %,d parameters", level) : "");
  }

  /** What the user is told of it. */
  @Override
  public String toString() {
    return setting() + ", seed " + seed + (draw > 0 ? ", random plan " + draw : "");
  }
}
