package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.spark.bench.ScalingBench.Throughput;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestScalingReport {

  @Test
  void comparesWithTheFirst() throws Exception {
    assertThat(
            JobResults.scaling(
                List.of(
                    new Throughput(1, 4, 5, 4000, 8, 0.8, 0, 600),
                    new Throughput(2, 4, 5, 9000, 10, 2, 1.5, 600))))
        .isEqualTo(
            "{\"workers\":1,\"rounds\":4,\"steps_per_round\":5,\"tokens_per_second\":500,"
                + "\"speedup\":1.0,\"seconds_per_round\":2.0,\"averaging_share\":0.1,"
                + "\"waiting_share\":0.0,\"averaged_bytes\":600}\n"
                + "{\"workers\":2,\"rounds\":4,\"steps_per_round\":5,\"tokens_per_second\":900,"
                + "\"speedup\":1.8,\"seconds_per_round\":2.5,\"averaging_share\":0.2,"
                + "\"waiting_share\":0.15,\"averaged_bytes\":600}\n");
  }
}
