package io.guilomo.spark.round;

import io.guilomo.sizing.MemoryEstimate;
import io.guilomo.spark.worker.WorkerRound;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Consumer;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.storage.StorageLevel;
import scala.Tuple2;

/**
 * The means of what the workers of a round return. Values are added in the order of the workers'
 * numbers: in the order of arrival, in which {@code treeAggregate} adds, they would round
 * differently from run to run.
 *
 * <p>The driver adds for few workers. For more, each executor averages some of the slices of all
 * workers, so that the driver receives one set of parameters however many workers there are. Where
 * a set is large, workers leave it on their disks, and the driver fetches the means of a few slices
 * at a time, so that no heap holds a set.
 */
final class RoundAverage {

  /** Up to so many, Spark writes what they read record by record, without sorting it. */
  private static final int MOST_REDUCERS = 200;

  private RoundAverage() {}

  /**
   * Averages.
   *
   * @param bytes of the slices of one worker
   * @param mean takes the mean of each slice
   * @return what the workers reported, in the order of their numbers
   */
  static <S> List<WorkerRound<S>> of(
      JavaRDD<RoundPart<S>> parts, int workers, long bytes, Consumer<RoundPart<S>> mean) {
    List<WorkerRound<S>> reports = new ArrayList<>();
    Consumer<RoundPart<S>> target =
        part -> {
          if (part.isReport()) {
            reports.add(part.report());
          } else {
            mean.accept(part);
          }
        };
    if (bytes <= MemoryEstimate.MOST_AT_ONCE) {
      collected(parts, workers).forEach(target);
    } else {
      stream(parts, workers, reducers(bytes, workers), target);
    }
    reports.sort(Comparator.comparingInt(WorkerRound::worker));
    return reports;
  }

  /** So many that the driver gets few slices at a time, and those who add up not many more. */
  private static int reducers(long bytes, int workers) {
    long added = bytes * Math.max(1, workers / MemoryEstimate.MOST_ON_DRIVER);
    return (int) Math.min(MOST_REDUCERS, added / MemoryEstimate.MOST_AT_ONCE + 1);
  }

  /** Passes on reports and means, those of one reducer after those of another. */
  private static <S> void stream(
      JavaRDD<RoundPart<S>> parts, int workers, int reducers, Consumer<RoundPart<S>> target) {
    JavaRDD<RoundPart<S>> means = means(parts, workers, reducers);
    if (workers <= MemoryEstimate.MOST_ON_DRIVER) {
      means.toLocalIterator().forEachRemaining(target);
      return;
    }
    means.persist(StorageLevel.DISK_ONLY());
    try {
      // All add up at the same time, before the driver fetches from one after the other.
      means.foreachPartition(all -> {});
      means.toLocalIterator().forEachRemaining(target);
    } finally {
      means.unpersist();
    }
  }

  /** Reports of all workers, then the means of all slices, both in the order of their numbers. */
  static <S> List<RoundPart<S>> collected(JavaRDD<RoundPart<S>> parts, int workers) {
    if (workers <= MemoryEstimate.MOST_ON_DRIVER) {
      return sorted(new Means<>(sorted(parts.collect().iterator()).iterator(), workers));
    }
    int reducers = Math.max(1, Math.min(workers, parts.context().defaultParallelism()));
    return sorted(means(parts, workers, reducers).collect().iterator());
  }

  private static <S> JavaRDD<RoundPart<S>> means(
      JavaRDD<RoundPart<S>> parts, int workers, int reducers) {
    return parts
        .mapToPair(part -> new Tuple2<>(key(part), part))
        .repartitionAndSortWithinPartitions(new BySlice(reducers))
        .values()
        .mapPartitions(sorted -> new Means<>(sorted, workers));
  }

  private static <S> List<RoundPart<S>> sorted(Iterator<RoundPart<S>> parts) {
    List<RoundPart<S>> all = new ArrayList<>();
    parts.forEachRemaining(all::add);
    all.sort(
        Comparator.comparingInt((RoundPart<S> part) -> part.slice())
            .thenComparingInt(RoundPart::worker));
    return all;
  }

  private static long key(RoundPart<?> part) {
    return ((long) part.slice() << Integer.SIZE) + part.worker();
  }

  /** Passes reports on and averages slices; the parts come ordered by slice, then by worker. */
  private static record Means<S>(Iterator<RoundPart<S>> sorted, int workers)
      implements Iterator<RoundPart<S>> {

    @Override
    public boolean hasNext() {
      return sorted.hasNext();
    }

    @Override
    public RoundPart<S> next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      RoundPart<S> first = sorted.next();
      if (first.isReport()) {
        return first;
      }
      byte[] mean = first.values();
      float[] sum = new float[mean.length / Float.BYTES];
      Slices.floats(mean).get(sum);
      for (int worker = 1; worker < workers; worker++) {
        RoundPart<S> next = sorted.hasNext() ? sorted.next() : null;
        if (next == null || next.slice() != first.slice()) {
          throw new IllegalStateException(
              "Cannot average slice %d: it came from %d of %d workers"
                  .formatted(first.slice(), worker, workers));
        }
        FloatBuffer values = Slices.floats(next.values());
        for (int i = 0; i < sum.length; i++) {
          sum[i] += values.get(i);
        }
      }
      for (int i = 0; workers > 1 && i < sum.length; i++) {
        sum[i] /= workers;
      }
      Slices.floats(mean).put(sum);
      return RoundPart.of(first.slice(), 0, Slice.of(mean));
    }
  }

  private static final class BySlice extends Partitioner {

    private static final long serialVersionUID = 1;

    private final int partitions;

    BySlice(int partitions) {
      this.partitions = partitions;
    }

    @Override
    public int numPartitions() {
      return partitions;
    }

    @Override
    public int getPartition(Object key) {
      return Math.floorMod((int) ((Long) key >> Integer.SIZE), partitions);
    }
  }
}
