package io.guilomo.spark.compare;

import io.guilomo.config.CompareConfig;
import io.guilomo.plan.RandomAllocation;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One of the random plans among which a plan is placed. They are spread over the seeds, so that
 * each is trained with the seed of the plan that it is held against; the first of each seed is the
 * one of strategy {@code random}.
 *
 * @param number plans of the same seed before it
 */
record RandomDraw(long seed, int number) {

  /** All that the configuration wants. */
  static List<RandomDraw> all(CompareConfig config) {
    int seeds = config.seeds().size();
    return IntStream.range(0, config.randomPlans())
        .mapToObj(i -> new RandomDraw(config.seeds().get(i % seeds), i / seeds))
        .toList();
  }

  /** With the budget, routing and sharing of another trial. */
  Trial trial(Trial other) {
    return new Trial(RandomAllocation.STRATEGY, other.combination(), other.level(), seed, number);
  }
}
