package io.guilomo.spark.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;

/** The fields of the requests that {@link MlflowStandIn} knows, and their types. */
final class MlflowMessages {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final Map<String, String> PAIR = Map.of("key", "string", "value", "string");

  private static final Map<String, Map<String, String>> REQUESTS =
      Map.of(
          "experiments/create",
          Map.of("name", "string", "artifact_location", "string", "tags", "pairs"),
          "runs/search",
          Map.of(
              "experiment_ids", "strings",
              "filter", "string",
              "run_view_type", "string",
              "max_results", "integer",
              "order_by", "strings",
              "page_token", "string"),
          "runs/create",
          Map.of(
              "experiment_id", "string",
              "user_id", "string",
              "run_name", "string",
              "start_time", "integer",
              "tags", "pairs"),
          "runs/update",
          Map.of(
              "run_id", "string",
              "run_uuid", "string",
              "status", "status",
              "end_time", "integer",
              "run_name", "string"),
          "runs/log-batch",
          Map.of("run_id", "string", "metrics", "metrics", "params", "pairs", "tags", "pairs"));

  private MlflowMessages() {}

  /** Whether there is such a call. */
  static boolean has(String call) {
    return REQUESTS.containsKey(call);
  }

  static void check(String call, JsonNode request) throws MlflowStore.Refusal {
    checkTypes(request, REQUESTS.get(call));
  }

  private static void checkTypes(JsonNode message, Map<String, String> fields)
      throws MlflowStore.Refusal {
    for (var field : (Iterable<Map.Entry<String, JsonNode>>) message::fields) {
      String type = fields.get(field.getKey());
      JsonNode value = field.getValue();
      boolean fits =
          type != null
              && switch (type) {
                case "string" -> value.isTextual();
                case "integer" -> value.isIntegralNumber() && value.asLong() >= 0;
                case "number" ->
                    value.isNumber()
                        || List.of("NaN", "Infinity", "-Infinity").contains(value.asText());
                case "status" ->
                    List.of("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
                        .contains(value.asText());
                default -> value.isArray();
              };
      if (!fits) {
        throw MlflowStore.Refusal.invalid(
            "Invalid value %s for parameter '%s' supplied", value, field.getKey());
      }
      for (JsonNode element : value.isArray() ? value : JSON.createArrayNode()) {
        switch (type) {
          case "pairs" -> checkTypes(element, PAIR);
          case "metrics" ->
              checkTypes(
                  element,
                  Map.of(
                      "key",
                      "string",
                      "value",
                      "number",
                      "timestamp",
                      "integer",
                      "step",
                      "integer"));
          default -> {
            if (!element.isTextual()) {
              throw MlflowStore.Refusal.invalid(
                  "Invalid value %s in '%s'", element, field.getKey());
            }
          }
        }
      }
    }
  }
}
