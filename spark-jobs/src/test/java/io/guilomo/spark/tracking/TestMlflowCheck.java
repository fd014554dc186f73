package io.guilomo.spark.tracking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.TrackingConfig;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TestMlflowCheck {

  @Test
  void aServerSaysWhetherThereIsTheExperiment() throws Exception {
    try (MlflowStandIn server = new MlflowStandIn()) {
      TrackingConfig config = config(server);
      assertThat(MlflowCheck.run(config))
          .isEqualTo(server.uri() + " answers, experiment our plans will be created");
      new MlflowClient(config, Map.of()).experiment();
      assertThat(MlflowCheck.run(config))
          .isEqualTo(server.uri() + " answers, experiment our plans is there");
    }
  }

  @Test
  void aServerThatRefusesSaysWhy() throws IOException {
    try (MlflowStandIn server = new MlflowStandIn()) {
      server.require("Bearer of another");
      assertThatThrownBy(() -> MlflowCheck.run(config(server)))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("UNAUTHENTICATED: You are not authenticated.; set ");
    }
  }

  private static TrackingConfig config(MlflowStandIn server) {
    return GuilomoConfig.load(
            null,
            List.of("tracking.mlflow.uri=" + server.uri(), "tracking.mlflow.experiment=our plans"))
        .tracking();
  }
}
