package io.guilomo.spark.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.spark.SharedSparkSession;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;

class TestRoundTimeout {

  /** Tasks of a local master share them. */
  private static final CountDownLatch OTHERS_RUN = new CountDownLatch(2);

  private static final CountDownLatch OTHERS_END = new CountDownLatch(1);

  private final JavaSparkContext spark =
      JavaSparkContext.fromSparkContext(SharedSparkSession.session().sparkContext());

  @Test
  void aWorkerThatHangsEndsTheRoundWithItsName() {
    try (RoundTimeout timeout = new RoundTimeout(spark.sc(), "averaging round 7", 2)) {
      assertThatThrownBy(() -> timeout.run(() -> hang(1)))
          .isInstanceOf(IllegalStateException.class)
          // Spark's status store is told of tasks that end some seconds late.
          .hasMessageMatching(
              "Cannot finish averaging round 7 in 2 s \\(cluster\\.round-timeout-seconds\\): [12] of 2"
                  + " workers did not answer");
    }
  }

  @Test
  void othersAreLeftAlone() {
    try (RoundTimeout timeout = new RoundTimeout(spark.sc(), "averaging round 1", 0)) {
      timeout.run(() -> assertThat(spark.parallelize(List.of(1, 2), 2).count()).isEqualTo(2));
    }
    try (RoundTimeout timeout = new RoundTimeout(spark.sc(), "averaging round 1", 60)) {
      assertThatThrownBy(
              () ->
                  timeout.run(
                      () -> {
                        throw new ArithmeticException("Cannot go on");
                      }))
          .isInstanceOf(ArithmeticException.class);
    }
  }

  @Test
  void whatItWaitsForOthersDoesNotCount() throws Exception {
    CompletableFuture<Void> others =
        CompletableFuture.runAsync(
            () ->
                spark
                    .parallelize(List.of(0, 1), 2)
                    .foreach(
                        number -> {
                          OTHERS_RUN.countDown();
                          OTHERS_END.await();
                        }));
    assertThat(OTHERS_RUN.await(60, TimeUnit.SECONDS)).isTrue();
    // They hold both processors for longer than the round may take.
    CompletableFuture.delayedExecutor(6, TimeUnit.SECONDS).execute(OTHERS_END::countDown);
    try (RoundTimeout timeout = new RoundTimeout(spark.sc(), "averaging round 1", 3)) {
      timeout.run(() -> assertThat(spark.parallelize(List.of(1, 2), 2).count()).isEqualTo(2));
    }
    assertThat(OTHERS_END.getCount()).isZero();
    others.get(60, TimeUnit.SECONDS);
  }

  /** Two workers, of which one never answers. */
  private void hang(int worker) {
    spark
        .parallelize(List.of(0, 1), 2)
        .foreach(
            number -> {
              if (number == worker) {
                new CountDownLatch(1).await();
              }
            });
  }
}
