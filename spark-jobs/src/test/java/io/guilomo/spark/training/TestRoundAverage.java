package io.guilomo.spark.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.sizing.MemoryEstimate;
import io.guilomo.spark.SharedSparkSession;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestRoundAverage {

  private static final int STRETCHES = 3;
  private static final int LENGTH = 1000;

  /** Averaged by the driver, and by executors. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, MemoryEstimate.MOST_ON_DRIVER, 5, 9})
  void addsInTheOrderOfTheWorkers(int workers) {
    List<RoundPart<String>> means = RoundAverage.of(parts(workers, workers), workers);
    assertThat(means.stream().filter(RoundPart::isReport).map(part -> part.report().worker()))
        .containsExactlyElementsOf(IntStream.range(0, workers).boxed().toList());
    assertThat(means.subList(workers, means.size()))
        .extracting(RoundPart::stretch)
        .containsExactly(0, 1, 2);
    for (RoundPart<String> mean : means.subList(workers, means.size())) {
      float[] expected = values(mean.stretch(), 0);
      for (int worker = 1; worker < workers; worker++) {
        float[] own = values(mean.stretch(), worker);
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

  @ParameterizedTest
  @ValueSource(ints = {3, 6})
  void aWorkerTooFewIsNotAveragedOver(int workers) {
    assertThatThrownBy(() -> RoundAverage.of(parts(workers - 1, workers), workers))
        .hasStackTraceContaining(
            "Cannot average stretch 0: it came from %d of %d workers"
                .formatted(workers - 1, workers));
  }

  /** Floats of very different sizes: another order of adding would round differently. */
  private static float[] values(int stretch, int worker) {
    SplittableRandom random = new SplittableRandom(stretch * 100L + worker);
    float[] values = new float[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      values[i] = (float) ((random.nextDouble() - 0.5) * Math.pow(10, random.nextInt(6)));
    }
    return values;
  }

  private static byte[] bytes(float[] values) {
    byte[] bytes = new byte[values.length * Float.BYTES];
    Stretches.floats(bytes).put(values);
    return bytes;
  }

  private static JavaRDD<RoundPart<String>> parts(int sending, int partitions) {
    List<RoundPart<String>> parts = new ArrayList<>();
    for (int worker = sending - 1; worker >= 0; worker--) {
      for (int stretch = STRETCHES - 1; stretch >= 0; stretch--) {
        parts.add(RoundPart.of(stretch, worker, bytes(values(stretch, worker))));
      }
      parts.add(
          RoundPart.of(new WorkerRound<>(worker, List.of(), Map.of(), Map.of(), 1, 12, "digest")));
    }
    return JavaSparkContext.fromSparkContext(SharedSparkSession.session().sparkContext())
        .parallelize(parts, partitions);
  }

  @Test
  void theOrderOfArrivalChangesNothing() {
    List<RoundPart<String>> once = RoundAverage.of(parts(5, 5), 5);
    List<RoundPart<String>> again = RoundAverage.of(parts(5, 2), 5);
    for (int i = 5; i < once.size(); i++) {
      assertThat(again.get(i).values()).isEqualTo(once.get(i).values());
    }
  }
}
