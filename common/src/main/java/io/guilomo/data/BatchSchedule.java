package io.guilomo.data;

import java.util.Arrays;
import java.util.Random;

/**
 * The batches of a worker's shard: a pure function of seed and step, so that a resumed run
 * continues with the same batches.
 *
 * <p>An epoch is a permutation derived from seed and epoch. Each group of 50 consecutive batches is
 * sorted by length, so that the examples of a batch have similar lengths, and the batches are
 * shuffled. All batches are full: the last is filled up from the start of the permutation. Every
 * example occurs at least once per epoch.
 */
public final class BatchSchedule {

  /** Number of batches among which examples are sorted by length. */
  private static final int MEGABATCH = 50;

  private final int[] lengths;
  private final int batchSize;
  private final long seed;
  private volatile Epoch current;

  private record Epoch(long index, int[][] batches) {}

  /**
   * @param lengths number of tokens of each example of the shard
   */
  public BatchSchedule(int[] lengths, int batchSize, long seed) {
    if (lengths.length == 0) {
      throw new IllegalArgumentException("Cannot schedule batches of an empty shard");
    }
    if (batchSize < 1) {
      throw new IllegalArgumentException(
          String.format("Cannot schedule batches of %d examples: expected at least 1", batchSize));
    }
    this.lengths = lengths.clone();
    this.batchSize = batchSize;
    this.seed = seed;
  }

  public static BatchSchedule of(Example[] examples, int batchSize, long seed) {
    return new BatchSchedule(
        Arrays.stream(examples).mapToInt(Example::length).toArray(), batchSize, seed);
  }

  /** {@code ceil(examples / batch size)}. */
  public int stepsPerEpoch() {
    return (lengths.length + batchSize - 1) / batchSize;
  }

  /**
   * Indices in the shard of the examples of step {@code step}, counted from 0 over all epochs;
   * {@code [batch size]}.
   */
  public int[] batch(long step) {
    if (step < 0) {
      throw new IllegalArgumentException(
          String.format("Cannot draw the batch of step %d: steps start at 0", step));
    }
    long index = step / stepsPerEpoch();
    Epoch epoch = current;
    if (epoch == null || epoch.index() != index) {
      epoch = new Epoch(index, draw(index));
      current = epoch;
    }
    return epoch.batches()[(int) (step % stepsPerEpoch())].clone();
  }

  private int[][] draw(long epoch) {
    Random random = new Random(Seeds.mix(seed, epoch));
    int[] permutation = permutation(lengths.length, random);
    Integer[] order = new Integer[stepsPerEpoch() * batchSize];
    Arrays.setAll(order, i -> permutation[i % permutation.length]);
    int megabatch = (int) Math.min((long) MEGABATCH * batchSize, order.length);
    for (int from = 0; from < order.length; from += megabatch) {
      Arrays.sort(
          order, from, Math.min(from + megabatch, order.length), (a, b) -> lengths[b] - lengths[a]);
    }
    int[] place = permutation(stepsPerEpoch(), random);
    int[][] batches = new int[stepsPerEpoch()][batchSize];
    for (int i = 0; i < order.length; i++) {
      batches[place[i / batchSize]][i % batchSize] = order[i];
    }
    return batches;
  }

  private static int[] permutation(int size, Random random) {
    int[] permutation = new int[size];
    Arrays.setAll(permutation, i -> i);
    for (int i = size - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int value = permutation[i];
      permutation[i] = permutation[j];
      permutation[j] = value;
    }
    return permutation;
  }
}
