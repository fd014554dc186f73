package io.guilomo.spark.tracking;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.config.TrackingConfig;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Version 2.0 of an MLflow server's REST API, which servers 2 and 3 speak, as far as jobs need it.
 * MLflow's own client for Java would be 8.6 MB of the jar, and sends files with a program in
 * Python.
 *
 * <p>Every call fails with {@link MlflowRefusal} if repeating it would not help, and with another
 * {@link IOException} if it might.
 */
final class MlflowClient {

  static final String ABSENT = "RESOURCE_DOES_NOT_EXIST";

  private static final String EXISTS = "RESOURCE_ALREADY_EXISTS";

  /** Most that servers take at once. */
  private static final int METRICS = 1000;

  private static final int PARAMETERS = 100;

  private static final String NO_SERVER = "its answers are not those of an MLflow server";

  private static final int FOUND_RUNS = 100;
  private static final int MESSAGE = 300;
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final Set<Integer> PASSING = Set.of(408, 425, 429, 500, 502, 503, 504);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String uri;
  private final String experiment;
  private final Optional<String> authorization;
  private final HttpClient http;

  /**
   * @param environment has the credentials, if any
   */
  MlflowClient(TrackingConfig config, Map<String, String> environment) {
    this.uri = config.mlflowUri();
    this.experiment = config.mlflowExperiment();
    this.authorization = MlflowCredentials.header(environment);
    // Servers in Python do not know the switch to HTTP/2 that Java would ask for.
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(TIMEOUT)
            .build();
  }

  String uri() {
    return uri;
  }

  /** The id of the experiment with the configured name; empty where there is none. */
  Optional<String> findExperiment() throws IOException, InterruptedException {
    String name = URLEncoder.encode(experiment, StandardCharsets.UTF_8);
    try {
      JsonNode found = call("GET", "experiments/get-by-name?experiment_name=" + name, null);
      String id = found.path("experiment").path("experiment_id").asText();
      if (id.isEmpty()) {
        throw new MlflowRefusal("", NO_SERVER);
      }
      return Optional.of(id);
    } catch (MlflowRefusal e) {
      if (e.is(ABSENT)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** The id of the experiment with the configured name, which is created where there is none. */
  String experiment() throws IOException, InterruptedException {
    Optional<String> found = findExperiment();
    if (found.isPresent()) {
      return found.get();
    }
    try {
      ObjectNode request = JSON.createObjectNode().put("name", experiment);
      return call("POST", "experiments/create", request).path("experiment_id").asText();
    } catch (MlflowRefusal e) {
      if (e.is(EXISTS)) {
        // Another job was faster.
        return findExperiment().orElseThrow(() -> e);
      }
      throw e;
    }
  }

  /** The newest runs with certain tags, the newest first, which is the order of every server. */
  List<MlflowRun> runs(String experimentId, Map<String, String> tags)
      throws IOException, InterruptedException {
    List<String> conditions = new ArrayList<>();
    tags.forEach((key, value) -> conditions.add("tags.\"%s\" = '%s'".formatted(key, value)));
    ObjectNode request = JSON.createObjectNode();
    request.putArray("experiment_ids").add(experimentId);
    request.put("filter", String.join(" and ", conditions)).put("max_results", FOUND_RUNS);
    List<MlflowRun> runs = new ArrayList<>();
    for (JsonNode run : call("POST", "runs/search", request).path("runs")) {
      runs.add(MlflowRun.of(run));
    }
    return runs;
  }

  /**
   * Creates a run.
   *
   * @param start in milliseconds since 1970
   */
  MlflowRun create(String experimentId, String name, long start, Map<String, String> tags)
      throws IOException, InterruptedException {
    ObjectNode request =
        JSON.createObjectNode()
            .put("experiment_id", experimentId)
            .put("run_name", name)
            .put("start_time", start);
    request.set("tags", entries(tags));
    return MlflowRun.of(call("POST", "runs/create", request).path("run"));
  }

  /** Says that a run is running again. */
  void reopen(String runId) throws IOException, InterruptedException {
    call(
        "POST",
        "runs/update",
        JSON.createObjectNode().put("run_id", runId).put("status", MlflowRun.RUNNING));
  }

  /**
   * Ends a run.
   *
   * @param end in milliseconds since 1970
   */
  void end(String runId, String status, long end) throws IOException, InterruptedException {
    call(
        "POST",
        "runs/update",
        JSON.createObjectNode().put("run_id", runId).put("status", status).put("end_time", end));
  }

  void logMetrics(String runId, List<MetricPoint> points) throws IOException, InterruptedException {
    for (int from = 0; from < points.size(); from += METRICS) {
      ArrayNode metrics = JSON.createArrayNode();
      for (MetricPoint point : points.subList(from, Math.min(points.size(), from + METRICS))) {
        ObjectNode metric = metrics.addObject().put("key", point.name());
        if (Double.isFinite(point.value())) {
          metric.put("value", point.value());
        } else {
          // JSON has no number for them.
          metric.put("value", Double.toString(point.value()));
        }
        metric.put("timestamp", point.at()).put("step", point.step());
      }
      log(runId, "metrics", metrics);
    }
  }

  void logParameters(String runId, Map<String, String> parameters)
      throws IOException, InterruptedException {
    ArrayNode all = entries(parameters);
    for (int from = 0; from < all.size(); from += PARAMETERS) {
      ArrayNode some = JSON.createArrayNode();
      for (int i = from; i < Math.min(all.size(), from + PARAMETERS); i++) {
        some.add(all.get(i));
      }
      log(runId, "params", some);
    }
  }

  /**
   * @param tags at most 100
   */
  void setTags(String runId, Map<String, String> tags) throws IOException, InterruptedException {
    log(runId, "tags", entries(tags));
  }

  private void log(String runId, String kind, ArrayNode entries)
      throws IOException, InterruptedException {
    ObjectNode request = JSON.createObjectNode().put("run_id", runId);
    request.set(kind, entries);
    call("POST", "runs/log-batch", request);
  }

  private static ArrayNode entries(Map<String, String> values) {
    ArrayNode entries = JSON.createArrayNode();
    values.forEach((key, value) -> entries.addObject().put("key", key).put("value", value));
    return entries;
  }

  /**
   * Sends a file through the server.
   *
   * @param target of {@link ArtifactLocation}
   * @throws MlflowRefusal if the server refuses it, or it cannot be read here
   */
  void upload(URI target, RunFiles.RunFile file, Runnable progress)
      throws IOException, InterruptedException {
    // The server may take a second for each megabyte.
    Duration timeout = TIMEOUT.plusSeconds(file.length() >> 20);
    AtomicReference<IOException> unread = new AtomicReference<>();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(target)
            .timeout(timeout)
            .header("Content-Type", file.contentType())
            .PUT(file.body(progress, unread::set));
    if (isHere(target)) {
      authorization.ifPresent(value -> request.header("Authorization", value));
    }
    try {
      answer(request.build());
    } catch (IOException e) {
      if (unread.get() != null) {
        throw new MlflowRefusal(MlflowRefusal.UNREAD, file.name() + ": " + unread.get());
      }
      if (String.valueOf(e.getMessage()).contains("--no-serve-artifacts")) {
        throw new MlflowRefusal("", e.getMessage());
      }
      throw e;
    }
  }

  /**
   * Whether what is sent there reaches this server, and as safely: who else would see the token?
   */
  boolean isHere(URI target) {
    URI here = URI.create(uri);
    return String.valueOf(target.getScheme()).equalsIgnoreCase(here.getScheme())
        && String.valueOf(target.getRawAuthority()).equalsIgnoreCase(here.getRawAuthority());
  }

  private JsonNode call(String method, String path, JsonNode body)
      throws IOException, InterruptedException {
    BodyPublisher publisher =
        body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body.toString());
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(uri + "/api/2.0/mlflow/" + path))
            .timeout(TIMEOUT)
            .header("Content-Type", "application/json")
            .method(method, publisher);
    authorization.ifPresent(value -> request.header("Authorization", value));
    try {
      return JSON.readTree(answer(request.build()));
    } catch (JsonProcessingException e) {
      throw new MlflowRefusal("", NO_SERVER);
    }
  }

  private String answer(HttpRequest request) throws IOException, InterruptedException {
    HttpResponse<String> response;
    try {
      response = http.send(request, BodyHandlers.ofString());
    } catch (HttpTimeoutException e) {
      throw new IOException("no answer in time", e);
    } catch (ConnectException e) {
      throw new IOException(reason(e), e);
    }
    int status = response.statusCode();
    if (status >= 200 && status < 300) {
      return response.body();
    }
    JsonNode error = error(response.body());
    String code = error.path("error_code").asText();
    String message =
        code.isEmpty()
            ? "status " + status + ", " + response.body()
            : code + ": " + error.path("message").asText();
    String line = message.strip().lines().findFirst().orElse("");
    String shown = line.length() > MESSAGE ? line.substring(0, MESSAGE) + "…" : line;
    if (PASSING.contains(status)) {
      throw new IOException(shown);
    }
    throw new MlflowRefusal(
        code,
        status == 401 || status == 403
            ? shown
                + "; set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and"
                + " MLFLOW_TRACKING_PASSWORD, in the driver's environment"
            : shown);
  }

  /** Java's client gives some of these exceptions no message. */
  private static String reason(ConnectException exception) {
    for (Throwable cause = exception; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnresolvedAddressException) {
        return "unknown host";
      }
    }
    return exception.getMessage() == null ? "no connection" : exception.getMessage();
  }

  private static JsonNode error(String body) {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      return JSON.createObjectNode();
    }
  }
}
