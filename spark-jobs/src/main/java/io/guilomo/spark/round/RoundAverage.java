package io.guilomo.spark.round;

import io.guilomo.sizing.MemoryEstimate;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaRDD;
import scala.Tuple2;

/**
 * The means of what the workers of a round return. Values are added in the order of the workers'
 * numbers: in the order of arrival, in which {@code treeAggregate} adds, they would round
 * differently from run to run.
 *
 * <p>The driver adds for few workers. For more, each executor averages some of the slices of all
 * workers, so that the driver receives one set of parameters however many workers there are.
 */
final class RoundAverage {

  private RoundAverage() {}

  /** Reports of all workers, then the means of all slices, both in the order of their numbers. */
  static <S> List<RoundPart<S>> of(JavaRDD<RoundPart<S>> parts, int workers) {
    if (workers <= MemoryEstimate.MOST_ON_DRIVER) {
      return sorted(new Means<>(sorted(parts.collect().iterator()).iterator(), workers));
    }
    int reducers = Math.max(1, Math.min(workers, parts.context().defaultParallelism()));
    return sorted(
        parts
            .mapToPair(part -> new Tuple2<>(key(part), part))
            .repartitionAndSortWithinPartitions(new BySlice(reducers))
            .values()
            .mapPartitions(sorted -> new Means<>(sorted, workers))
            .collect()
            .iterator());
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
      float[] sum = new float[first.values().length / Float.BYTES];
      Slices.floats(first.values()).get(sum);
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
      byte[] mean = new byte[first.values().length];
      Slices.floats(mean).put(sum);
      return RoundPart.of(first.slice(), 0, mean);
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
