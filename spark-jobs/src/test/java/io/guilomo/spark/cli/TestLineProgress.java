package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TestLineProgress {

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private long now;
  private final LineProgress progress =
      new LineProgress(
          new PrintStream(err, true, StandardCharsets.UTF_8), () -> TimeUnit.SECONDS.toNanos(now));

  @Test
  void showsTheFirstTheLastAndOneInFiveSeconds() {
    progress.begin("search", 10);
    for (int round = 1; round <= 10; round++) {
      now += 2;
      progress.round(Map.of("loss", 1.0 / round));
    }
    progress.end();

    assertThat(err.toString(StandardCharsets.UTF_8).lines())
        .containsExactly(
            "search: 10 rounds",
            "search: round 1 of 10, loss 1.000, 18 s left",
            "search: round 4 of 10, loss 0.2500, 12 s left",
            "search: round 7 of 10, loss 0.1429, 6 s left",
            "search: round 10 of 10, loss 0.1000, 0 s left");
  }
}
