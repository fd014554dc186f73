package io.guilomo.spark.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;

/**
 * A run, as a server describes it.
 *
 * @param lastSteps the last step of each metric
 */
record MlflowRun(
    String id,
    String status,
    String artifactUri,
    Map<String, String> tags,
    Map<String, String> parameters,
    Map<String, Long> lastSteps) {

  static final String RUNNING = "RUNNING";
  static final String FINISHED = "FINISHED";
  static final String FAILED = "FAILED";
  static final String KILLED = "KILLED";

  /** Of a message {@code Run}. */
  static MlflowRun of(JsonNode run) {
    JsonNode info = run.path("info");
    JsonNode data = run.path("data");
    Map<String, Long> steps = new HashMap<>();
    for (JsonNode metric : data.path("metrics")) {
      // Numbers of 64 bits may be texts in the JSON of protocol buffers.
      steps.merge(metric.path("key").asText(), metric.path("step").asLong(), Math::max);
    }
    return new MlflowRun(
        info.path("run_id").asText(),
        info.path("status").asText(),
        info.path("artifact_uri").asText(),
        values(data.path("tags")),
        values(data.path("params")),
        Map.copyOf(steps));
  }

  private static Map<String, String> values(JsonNode entries) {
    Map<String, String> values = new HashMap<>();
    for (JsonNode entry : entries) {
      values.put(entry.path("key").asText(), entry.path("value").asText());
    }
    return Map.copyOf(values);
  }

  boolean isFinished() {
    return status.equals(FINISHED);
  }
}
