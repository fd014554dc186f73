package io.guilomo.spark.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Experiments and runs of {@link MlflowStandIn}, and what it refuses to write to them. */
final class MlflowStore {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern NAME = Pattern.compile("[/\\w.\\- ]+");
  private static final Pattern CONDITION = Pattern.compile("tags\\.\"([^\"]+)\" = '([^']*)'");

  /** A value of a metric, as it was logged. */
  record Value(long step, double value, long timestamp) {}

  /** What the server knows of a run. */
  static final class Run {
    final String id;
    final String experiment;
    final String name;
    final long start;
    final Map<String, String> params = new TreeMap<>();
    final Map<String, String> tags = new TreeMap<>();
    final Map<String, List<Value>> metrics = new TreeMap<>();
    final Map<String, byte[]> files = new TreeMap<>();
    String status = "RUNNING";
    Long end;

    Run(String id, String experiment, String name, long start) {
      this.id = id;
      this.experiment = experiment;
      this.name = name;
      this.start = start;
    }

    /** Steps with a value, in the order in which they were logged. */
    List<Long> steps(String metric) {
      return metrics.getOrDefault(metric, List.of()).stream().map(Value::step).toList();
    }

    double last(String metric) {
      List<Value> values = metrics.get(metric);
      return values.get(values.size() - 1).value();
    }

    String file(String file) {
      return new String(files.get(file), StandardCharsets.UTF_8);
    }
  }

  /** An error, with its status and code. */
  static final class Refusal extends Exception {
    private static final long serialVersionUID = 1;
    final int status;
    final String code;

    Refusal(int status, String code, String message) {
      super(message);
      this.status = status;
      this.code = code;
    }

    static Refusal invalid(String message, Object... values) {
      return new Refusal(400, "INVALID_PARAMETER_VALUE", message.formatted(values));
    }
  }

  private final Map<String, String> experiments = new TreeMap<>();
  private final List<Run> runs = new ArrayList<>();
  private String artifactRoot = "mlflow-artifacts:";

  List<Run> runs() {
    return List.copyOf(runs);
  }

  Map<String, String> experiments() {
    return Map.copyOf(experiments);
  }

  void artifactRoot(String root) {
    artifactRoot = root;
  }

  String answer(String call, JsonNode request) throws Refusal {
    return switch (call) {
      case "experiments/create" -> createExperiment(request);
      case "runs/search" -> search(request);
      case "runs/create" -> create(request);
      case "runs/update" -> update(request);
      case "runs/log-batch" -> logBatch(request);
      default -> throw new Refusal(404, "ENDPOINT_NOT_FOUND", call);
    };
  }

  String experiment(String name) throws Refusal {
    if (!experiments.containsKey(name)) {
      throw new Refusal(
          404, "RESOURCE_DOES_NOT_EXIST", "Could not find experiment with name '" + name + "'");
    }
    ObjectNode experiment = JSON.createObjectNode();
    experiment
        .putObject("experiment")
        .put("experiment_id", experiments.get(name))
        .put("name", name);
    return experiment.toString();
  }

  private String createExperiment(JsonNode request) throws Refusal {
    String name = request.path("name").asText();
    if (name.isEmpty()) {
      throw Refusal.invalid("Missing value for required parameter 'name'.");
    }
    if (experiments.containsKey(name)) {
      throw new Refusal(
          400, "RESOURCE_ALREADY_EXISTS", "Experiment '" + name + "' already exists.");
    }
    String id = String.valueOf(100 + experiments.size());
    experiments.put(name, id);
    return JSON.createObjectNode().put("experiment_id", id).toString();
  }

  private String search(JsonNode request) throws Refusal {
    Map<String, String> tags = new TreeMap<>();
    for (String condition : request.path("filter").asText().split(" and ", -1)) {
      Matcher matcher = CONDITION.matcher(condition);
      if (!matcher.matches()) {
        throw Refusal.invalid("Invalid clause(s) in filter string: '%s'", condition);
      }
      tags.put(matcher.group(1), matcher.group(2));
    }
    List<String> ids = new ArrayList<>();
    request.path("experiment_ids").forEach(id -> ids.add(id.asText()));
    ObjectNode answer = JSON.createObjectNode();
    List<Run> found =
        runs.stream()
            .filter(run -> ids.contains(run.experiment))
            .filter(run -> run.tags.entrySet().containsAll(tags.entrySet()))
            .sorted(Comparator.comparingLong((Run run) -> run.start).reversed())
            .limit(request.path("max_results").asLong(1000))
            .toList();
    // Without runs the server's answer has no field "runs".
    if (!found.isEmpty()) {
      found.forEach(run -> answer.withArray("runs").add(json(run)));
    }
    return answer.toString();
  }

  private ObjectNode json(Run run) {
    ObjectNode json = JSON.createObjectNode();
    ObjectNode info =
        json.putObject("info")
            .put("run_id", run.id)
            .put("run_uuid", run.id)
            .put("run_name", run.name)
            .put("experiment_id", run.experiment)
            .put("status", run.status)
            .put("start_time", run.start)
            .put("artifact_uri", artifactRoot + "/" + run.experiment + "/" + run.id + "/artifacts")
            .put("lifecycle_stage", "active");
    if (run.end != null) {
      info.put("end_time", run.end);
    }
    ObjectNode data = json.putObject("data");
    run.metrics.forEach(
        (key, values) -> {
          Value last = values.stream().max(Comparator.comparingLong(Value::step)).orElseThrow();
          data.withArray("metrics")
              .addObject()
              .put("key", key)
              .put("value", last.value())
              .put("timestamp", last.timestamp())
              .put("step", last.step());
        });
    run.params.forEach((key, value) -> pair(data.withArray("params").addObject(), key, value));
    run.tags.forEach((key, value) -> pair(data.withArray("tags").addObject(), key, value));
    return json;
  }

  private static void pair(ObjectNode entry, String key, String value) {
    entry.put("key", key).put("value", value);
  }

  private String create(JsonNode request) throws Refusal {
    String experiment = request.path("experiment_id").asText();
    if (!experiments.containsValue(experiment)) {
      throw new Refusal(404, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=" + experiment);
    }
    Run run =
        new Run(
            "%032x".formatted(runs.size() + 1),
            experiment,
            request.path("run_name").asText(),
            request.path("start_time").asLong());
    setTags(run, request.path("tags"));
    runs.add(run);
    ObjectNode answer = JSON.createObjectNode();
    answer.set("run", json(run));
    return answer.toString();
  }

  private Run found(JsonNode request) throws Refusal {
    String id = request.path("run_id").asText();
    return runs.stream()
        .filter(run -> run.id.equals(id))
        .findFirst()
        .orElseThrow(
            () -> new Refusal(404, "RESOURCE_DOES_NOT_EXIST", "Run with id=" + id + " not found"));
  }

  private String update(JsonNode request) throws Refusal {
    Run run = found(request);
    run.status = request.path("status").asText(run.status);
    run.end = request.has("end_time") ? Long.valueOf(request.get("end_time").asLong()) : run.end;
    ObjectNode answer = JSON.createObjectNode();
    answer.set("run_info", json(run).get("info"));
    return answer.toString();
  }

  private String logBatch(JsonNode request) throws Refusal {
    Run run = found(request);
    JsonNode metrics = request.path("metrics");
    JsonNode params = request.path("params");
    JsonNode tags = request.path("tags");
    limit("metrics", 1000, metrics.size());
    limit("params", 100, params.size());
    limit("tags", 100, tags.size());
    limit("metrics, params, and tags", 1000, metrics.size() + params.size() + tags.size());
    Map<String, String> given = new TreeMap<>();
    for (JsonNode param : params) {
      String key = checkName(param.path("key").asText());
      String value = checkLength("Param value", param.path("value").asText(), 6000);
      if (given.put(key, value) != null) {
        throw Refusal.invalid("Duplicate parameter keys have been submitted: %s", key);
      }
      if (!run.params.getOrDefault(key, value).equals(value)) {
        throw Refusal.invalid(
            "Changing param values is not allowed. Param with key='%s' was already logged with"
                + " value='%s' for run ID='%s'. Attempted logging new value '%s'.",
            key, run.params.get(key), run.id, value);
      }
    }
    for (JsonNode metric : metrics) {
      checkName(metric.path("key").asText());
      for (String field : List.of("value", "timestamp")) {
        if (!metric.has(field)) {
          throw Refusal.invalid("Missing value for required parameter 'metrics.%s'.", field);
        }
      }
    }
    run.params.putAll(given);
    setTags(run, tags);
    for (JsonNode metric : metrics) {
      Value value =
          new Value(
              metric.path("step").asLong(),
              Double.parseDouble(metric.get("value").asText()),
              metric.get("timestamp").asLong());
      List<Value> values =
          run.metrics.computeIfAbsent(metric.get("key").asText(), key -> new ArrayList<>());
      // The store knows a value by all of it.
      if (!values.contains(value)) {
        values.add(value);
      }
    }
    return "{}";
  }

  private static void limit(String what, int most, int size) throws Refusal {
    if (size > most) {
      throw Refusal.invalid(
          "A batch logging request can contain at most %d %s. Got %d %s. Please split up %s across"
              + " multiple requests and try again.",
          most, what, size, what, what);
    }
  }

  private static void setTags(Run run, JsonNode tags) throws Refusal {
    for (JsonNode tag : tags) {
      run.tags.put(
          checkName(tag.path("key").asText()),
          checkLength("Tag value", tag.path("value").asText(), 5000));
    }
  }

  private static String checkName(String name) throws Refusal {
    checkLength("Name", name, 250);
    boolean resolves =
        name.startsWith("/") || name.endsWith("/") || name.contains("//") || name.contains("..");
    if (!NAME.matcher(name).matches() || resolves) {
      throw Refusal.invalid(
          "Invalid name: '%s'. Names may only contain alphanumerics, underscores (_), dashes (-),"
              + " periods (.), spaces ( ), and slashes (/).",
          name);
    }
    return name;
  }

  private static String checkLength(String what, String value, int most) throws Refusal {
    if (value.length() > most) {
      throw Refusal.invalid(
          "%s had length %d, which exceeded length limit of %d", what, value.length(), most);
    }
    return value;
  }

  void upload(String path, byte[] body) throws Refusal {
    String[] parts = path.split("/", 4);
    if (parts.length < 4 || !parts[2].equals("artifacts") || path.contains("..")) {
      throw Refusal.invalid("Invalid path: %s", path);
    }
    found(JSON.createObjectNode().put("run_id", parts[1])).files.put(parts[3], body);
  }
}
