package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class TestBatchSchedule {

  @Property(tries = 300)
  void showsEachExampleInEachEpoch(
      @ForAll @IntRange(min = 1, max = 400) int examples,
      @ForAll @IntRange(min = 1, max = 40) int batch,
      @ForAll long seed,
      @ForAll @LongRange(min = 0, max = 1000) long epoch) {
    BatchSchedule schedule = schedule(examples, batch, seed);
    int steps = schedule.stepsPerEpoch();
    assertThat(steps).isEqualTo((int) Math.ceil(examples / (double) batch));
    int[] seen = new int[examples];
    for (int step = 0; step < steps; step++) {
      int[] indices = schedule.batch(epoch * steps + step);
      assertThat(indices).hasSize(batch);
      for (int index : indices) {
        seen[index]++;
      }
    }
    // Filling up wraps around: counts differ by at most one.
    int least = Arrays.stream(seen).min().orElseThrow();
    assertThat(least).isPositive();
    assertThat(Arrays.stream(seen).max().orElseThrow()).isLessThanOrEqualTo(least + 1);
  }

  @Property(tries = 100)
  void isAFunctionOfSeedAndStep(
      @ForAll long seed, @ForAll @LongRange(min = 0, max = 5000) long step) {
    BatchSchedule used = schedule(100, 8, seed);
    for (long s = 0; s < 30; s++) {
      used.batch(s);
    }
    assertThat(used.batch(step)).isEqualTo(schedule(100, 8, seed).batch(step));
  }

  @Test
  void drawsAnotherOrderForEachEpochAndSeed() {
    BatchSchedule schedule = schedule(64, 8, 1);
    assertThat(schedule.batch(0)).isNotEqualTo(schedule.batch(8));
    assertThat(schedule.batch(0)).isNotEqualTo(schedule(64, 8, 2).batch(0));
  }

  @Test
  void batchesAreOfAboutOneLength() {
    BatchSchedule schedule = schedule(800, 8, 3);
    long spread = 0;
    for (int step = 0; step < 100; step++) {
      int[] lengths = IntStream.of(schedule.batch(step)).map(TestBatchSchedule::length).toArray();
      spread +=
          Arrays.stream(lengths).max().orElseThrow() - Arrays.stream(lengths).min().orElseThrow();
    }
    // 800 lengths of 1 to 97: unsorted batches of eight would spread over about 75.
    assertThat(spread / 100.0).isLessThan(4);
  }

  @Test
  void mixesLongAndShortBatches() {
    BatchSchedule schedule = schedule(400, 8, 3);
    int[] first = IntStream.range(0, 50).map(step -> length(schedule.batch(step)[0])).toArray();
    int falls = 0;
    for (int i = 1; i < first.length; i++) {
      falls += first[i] < first[i - 1] ? 1 : 0;
    }
    assertThat(falls).isBetween(12, 37);
  }

  @Test
  void refusesNothing() {
    assertThatThrownBy(() -> new BatchSchedule(new int[0], 4, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot schedule batches of an empty shard");
    assertThatThrownBy(() -> schedule(4, 0, 0))
        .hasMessage("Cannot schedule batches of 0 examples: expected at least 1");
    assertThatThrownBy(() -> schedule(4, 1, 0).batch(-1))
        .hasMessage("Cannot draw the batch of step -1: steps start at 0");
  }

  private static int length(int example) {
    return 1 + example * 31 % 97;
  }

  private static BatchSchedule schedule(int examples, int batch, long seed) {
    return new BatchSchedule(
        IntStream.range(0, examples).map(TestBatchSchedule::length).toArray(), batch, seed);
  }
}
