package io.guilomo.spark.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestArtifactLocation {

  private static final String PROXY = "/api/2.0/mlflow-artifacts/artifacts";

  @ParameterizedTest
  @CsvSource({
    "http://mlflow:5000, mlflow-artifacts:/1/a/artifacts, http://mlflow:5000, /1/a/artifacts",
    "https://host/tracking, mlflow-artifacts:/1/a/artifacts, https://host/tracking, /1/a/artifacts",
    "https://host, mlflow-artifacts://files:8080/1/a, https://files:8080, /1/a"
  })
  void aServerThatPassesFilesOnIsSentThem(String server, String uri, String begin, String end) {
    assertThat(ArtifactLocation.of(server, uri).orElseThrow().of("adapter/m n.json"))
        .hasToString(begin + PROXY + end + "/adapter/m%20n.json");
  }

  @Test
  void anAddressIsTakenAsItIs() {
    assertThat(ArtifactLocation.of("http://a", "http://b:1/c/").orElseThrow().of("plan.json"))
        .hasToString("http://b:1/c/plan.json");
  }

  @ParameterizedTest
  @CsvSource({"s3://bucket/1/a", "/mlruns/1/a", "file:///mlruns", "dbfs:/x", "'not a uri'", "''"})
  void otherStoresAreNotWrittenTo(String uri) {
    assertThat(ArtifactLocation.of("http://mlflow:5000", uri)).isEmpty();
  }
}
