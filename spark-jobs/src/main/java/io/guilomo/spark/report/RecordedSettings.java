package io.guilomo.spark.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.TreeMap;

/** The settings of a job, from its row in table {@code runs}. */
final class RecordedSettings {

  private static final ObjectMapper JSON = new ObjectMapper();

  private RecordedSettings() {}

  /** Values by key, without the root of the configuration: {@code search.epochs}, … */
  static Map<String, String> of(String json) {
    Map<String, String> values = new TreeMap<>();
    try {
      flatten("", JSON.readTree(json).path("guilomo"), values);
    } catch (JsonProcessingException e) {
      values.put("configuration", json);
    }
    return values;
  }

  private static void flatten(String path, JsonNode node, Map<String, String> values) {
    if (!node.isObject()) {
      values.put(path, node.isTextual() ? node.textValue() : node.toString());
      return;
    }
    node.fields()
        .forEachRemaining(
            field ->
                flatten(
                    path.isEmpty() ? field.getKey() : path + "." + field.getKey(),
                    field.getValue(),
                    values));
  }
}
