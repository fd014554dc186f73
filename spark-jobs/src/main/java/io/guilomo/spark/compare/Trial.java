package io.guilomo.spark.compare;

import java.util.Locale;

/**
 * One plan that a comparison trains: what a strategy makes of a budget with a seed.
 *
 * @param strategy name of an allocation strategy, or {@code full}
 * @param level budget in trainable parameters that all strategies share; 0 where the comparison has
 *     a single one, which may depend on the seed
 * @param seed of the search and of the training
 * @param draw further random plans of the seed are counted from 1; 0 for every other trial
 */
record Trial(String strategy, long level, long seed, int draw) {

  Trial(String strategy, long level, long seed) {
    this(strategy, level, seed, 0);
  }

  /**
   * Its place in the names of runs and files: {@code uniform.42}, {@code random.52000.42.draw-3}.
   */
  String name() {
    return strategy
        + (level > 0 ? "." + level : "")
        + "."
        + seed
        + (draw > 0 ? ".draw-" + draw : "");
  }

  /** What all seeds' trials have in common. */
  Trial ofAnySeed() {
    return new Trial(strategy, level, 0);
  }

  /** What the user is told of all seeds' trials. */
  String setting() {
    return strategy
        + (level > 0 ? String.format(Locale.ROOT, " within %,d parameters", level) : "");
  }

  /** What the user is told of it. */
  @Override
  public String toString() {
    return setting() + ", seed " + seed + (draw > 0 ? ", random plan " + draw : "");
  }
}
