package io.guilomo.spark.tracking;

import io.guilomo.config.GuilomoConfig;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The keys of a configuration as parameters of a run, whose values MLflow never changes. Keys
 * without a value are left out, and those of the tracking.
 */
record MlflowParameters(Map<String, String> values) {

  /** Of the servers that take most, which is as of 2.10; in characters. */
  private static final int LONGEST = 6000;

  static MlflowParameters of(GuilomoConfig config) {
    Map<String, String> values = new TreeMap<>(config.values());
    values.keySet().removeIf(key -> key.startsWith("tracking."));
    values.values().removeIf(String::isEmpty);
    values.replaceAll(
        (key, value) -> value.length() > LONGEST ? value.substring(0, LONGEST - 1) + "…" : value);
    return new MlflowParameters(values);
  }

  /** Those that a run does not have. */
  Map<String, String> missing(Map<String, String> ofRun) {
    Map<String, String> missing = new TreeMap<>(values);
    missing.keySet().removeAll(ofRun.keySet());
    return missing;
  }

  /** Those of which a run has other values, in words; empty where there are none. */
  String changes(Map<String, String> ofRun) {
    return values.entrySet().stream()
        .filter(
            entry -> !entry.getValue().equals(ofRun.getOrDefault(entry.getKey(), entry.getValue())))
        .map(
            entry ->
                entry.getKey() + " from " + ofRun.get(entry.getKey()) + " to " + entry.getValue())
        .collect(Collectors.joining("; "));
  }
}
