package io.guilomo.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.model.UserException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestTrackingConfig {

  @Test
  void nothingIsTrackedUnlessAServerIsNamed() {
    assertThat(GuilomoConfig.load(null, List.of()).tracking())
        .isEqualTo(new TrackingConfig("", "guilomo"));
    assertThat(
            GuilomoConfig.load(
                    null,
                    List.of(
                        "tracking.mlflow.uri=https://mlflow.example.org/team/",
                        "tracking.mlflow.experiment=plans of 2026"))
                .tracking())
        .isEqualTo(new TrackingConfig("https://mlflow.example.org/team", "plans of 2026"));
  }

  @ParameterizedTest
  @CsvSource({
    "mlflow:5000",
    "databricks",
    "file:///mlruns",
    "http://",
    "http://a?b=c",
    "http://a b"
  })
  void anythingButTheAddressOfAServerIsRefused(String uri) {
    assertThatThrownBy(() -> GuilomoConfig.load(null, List.of("tracking.mlflow.uri=" + uri)))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot use guilomo.tracking.mlflow.uri = %s: must be the address of a server, such as"
                + " http://mlflow:5000",
            uri);
  }

  @Test
  void credentialsAreRefusedAndNotRepeated() {
    assertThatThrownBy(
            () -> GuilomoConfig.load(null, List.of("tracking.mlflow.uri=http://ann:secret@mlflow")))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith(
            "Cannot use guilomo.tracking.mlflow.uri with credentials in it: set ")
        .hasMessageNotContaining("secret");
    assertThatThrownBy(() -> GuilomoConfig.load(null, List.of("tracking.mlflow.experiment= ")))
        .hasMessageStartingWith("Cannot use guilomo.tracking.mlflow.experiment = ");
  }
}
