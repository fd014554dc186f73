package io.guilomo.spark.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import com.google.common.base.Throwables;
import io.guilomo.network.WeightErrors;
import io.guilomo.sizing.MemoryEstimate;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.worker.WorkerRound;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestRoundAverage {

  private static final int SLICES = 3;
  private static final int LENGTH = 1000;
  private static final long WAIT_MILLIS = 10_000;

  /** Averaged by the driver, and by executors. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, MemoryEstimate.MOST_ON_DRIVER, 5, 9})
  void addsInTheOrderOfTheWorkers(int workers) {
    List<RoundPart<String>> means = RoundAverage.collected(parts(workers, workers), workers);
    assertThat(means.stream().filter(RoundPart::isReport).map(part -> part.report().worker()))
        .containsExactlyElementsOf(IntStream.range(0, workers).boxed().toList());
    assertThat(means.subList(workers, means.size()))
        .extracting(RoundPart::slice)
        .containsExactly(0, 1, 2);
    for (RoundPart<String> mean : means.subList(workers, means.size())) {
      float[] expected = values(mean.slice(), 0);
      for (int worker = 1; worker < workers; worker++) {
        float[] own = values(mean.slice(), worker);
        for (int i = 0; i < LENGTH; i++) {
          expected[i] += own[i];
        }
      }
      for (int i = 0; i < LENGTH; i++) {
        expected[i] /= workers;
      }
      assertThat(mean.values()).isEqualTo(bytes(expected));
    }
  }

  /** Large sets, of which the driver gets a few slices at a time. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 6})
  void aStreamOfMeansHasTheSameBits(int workers) {
    List<RoundPart<String>> expected = RoundAverage.collected(parts(workers, workers), workers);
    SparkContext spark = SharedSparkSession.session().sparkContext();
    int persistent = spark.getPersistentRDDs().size();
    Map<Integer, byte[]> found = new TreeMap<>();
    List<WorkerRound<String>> reports =
        RoundAverage.of(
            parts(workers, workers),
            workers,
            MemoryEstimate.MOST_AT_ONCE + 1,
            mean -> found.put(mean.slice(), mean.values()));
    assertThat(reports).isEqualTo(expected.stream().limit(workers).map(RoundPart::report).toList());
    assertThat(found.keySet()).containsExactly(0, 1, 2);
    found.forEach(
        (slice, values) -> assertThat(values).isEqualTo(expected.get(workers + slice).values()));
    assertThat(spark.getPersistentRDDs().size()).isEqualTo(persistent);
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 6})
  void aWorkerTooFewIsNotAveragedOver(int workers) {
    assertThatThrownBy(() -> RoundAverage.collected(parts(workers - 1, workers), workers))
        // Of executors that add up, any may be the first to notice.
        .extracting(Throwables::getStackTraceAsString, STRING)
        .containsPattern(
            "Cannot average slice \\d: it came from %d of %d workers"
                .formatted(workers - 1, workers));
  }

  /** Floats of very different sizes: another order of adding would round differently. */
  private static float[] values(int slice, int worker) {
    return values(slice, worker, LENGTH);
  }

  private static float[] values(int slice, int worker, int length) {
    SplittableRandom random = new SplittableRandom(slice * 100L + worker);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) ((random.nextDouble() - 0.5) * Math.pow(10, random.nextInt(6)));
    }
    return values;
  }

  /** Up to four workers' parameters go to the driver, of more only their mean. */
  @Test
  void theDriverReceivesNoMoreFromMoreWorkers() throws Exception {
    ReceivedBytes received = new ReceivedBytes();
    SparkContext spark = SharedSparkSession.session().sparkContext();
    int length = 100_000;
    double one = SLICES * (double) length * Float.BYTES;
    Map<Integer, Double> copies = new TreeMap<>();
    spark.addSparkListener(received);
    try {
      for (int workers : List.of(1, MemoryEstimate.MOST_ON_DRIVER, 6, 12, 24)) {
        JavaRDD<RoundPart<String>> parts = parts(workers, workers, length);
        received.begin(spark);
        RoundAverage.collected(parts, workers);
        copies.put(workers, received.end(spark) / one);
      }
    } finally {
      spark.removeSparkListener(received);
    }
    System.out.printf("copies of %.1f MB that the driver received: %s%n", one / 1e6, copies);
    assertThat(copies.get(1)).isBetween(1.0, 1.05);
    assertThat(copies.get(MemoryEstimate.MOST_ON_DRIVER)).isBetween(4.0, 4.2);
    assertThat(List.of(copies.get(6), copies.get(12), copies.get(24)))
        .allSatisfy(all -> assertThat(all).isBetween(1.0, 1.05));
  }

  /** Counts what tasks send to the driver as their results. */
  private static final class ReceivedBytes extends SparkListener {

    private final AtomicLong bytes = new AtomicLong();

    void begin(SparkContext spark) throws Exception {
      spark.listenerBus().waitUntilEmpty(WAIT_MILLIS);
      bytes.set(0);
    }

    long end(SparkContext spark) throws Exception {
      spark.listenerBus().waitUntilEmpty(WAIT_MILLIS);
      return bytes.get();
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      bytes.addAndGet(end.taskMetrics().resultSize());
    }
  }

  private static byte[] bytes(float[] values) {
    byte[] bytes = new byte[values.length * Float.BYTES];
    Slices.floats(bytes).put(values);
    return bytes;
  }

  private static JavaRDD<RoundPart<String>> parts(int sending, int partitions) {
    return parts(sending, partitions, LENGTH);
  }

  private static JavaRDD<RoundPart<String>> parts(int sending, int partitions, int length) {
    List<RoundPart<String>> parts = new ArrayList<>();
    for (int worker = sending - 1; worker >= 0; worker--) {
      for (int slice = SLICES - 1; slice >= 0; slice--) {
        parts.add(RoundPart.of(slice, worker, Slice.of(bytes(values(slice, worker, length)))));
      }
      parts.add(
          RoundPart.of(
              new WorkerRound<>(
                  worker, List.of(), Map.of(), Map.of(), 7, 1, 12, "digest", WeightErrors.NONE)));
    }
    return JavaSparkContext.fromSparkContext(SharedSparkSession.session().sparkContext())
        .parallelize(parts, partitions);
  }

  @Test
  void theOrderOfArrivalChangesNothing() {
    List<RoundPart<String>> once = RoundAverage.collected(parts(5, 5), 5);
    List<RoundPart<String>> again = RoundAverage.collected(parts(5, 2), 5);
    for (int i = 5; i < once.size(); i++) {
      assertThat(again.get(i).values()).isEqualTo(once.get(i).values());
    }
  }
}
