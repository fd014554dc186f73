package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TestBarProgress {

  @Test
  void drawsABarWithTheRoundAndTheLosses() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    BarProgress progress = new BarProgress(new PrintStream(err, true, StandardCharsets.UTF_8));
    progress.begin("search", 2);
    progress.round(Map.of("loss", 0.5));
    progress.message("a plan is kept");
    progress.round(Map.of("loss", 0.25));
    progress.end();
    progress.end();

    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("search", "2/2", "loss 0.2500", "a plan is kept\n");
  }
}
