package io.guilomo.spark.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * An MLflow server as far as jobs use one, of the documented REST API 2.0: the messages {@code
 * GetExperimentByName}, {@code CreateExperiment}, {@code SearchRuns}, {@code CreateRun}, {@code
 * UpdateRun} and {@code LogBatch} of {@code mlflow/protos/service.proto}, {@code UploadArtifact} of
 * {@code mlflow_artifacts.proto}, the limits, names and errors of {@code
 * mlflow/utils/validation.py} and {@code mlflow/server/handlers.py}, and the store's refusal to
 * change a parameter. It is stricter than the server: fields that a message does not have and
 * numbers in quotes are refused. What it holds survives {@link #stop}.
 */
final class MlflowStandIn implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String API = "/api/2.0/mlflow/";
  private static final String ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/";

  private final MlflowStore store = new MlflowStore();
  private final List<String> refusals = new ArrayList<>();
  private final int port;
  private HttpServer server;
  private ExecutorService threads;
  private String authorization;
  private volatile CountDownLatch held = new CountDownLatch(0);
  private int lostAnswers;
  private int failures;

  MlflowStandIn() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    port = server.getAddress().getPort();
    serve();
  }

  private void serve() {
    threads = Executors.newCachedThreadPool();
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  /** As if it were killed: connections are cut. */
  void stop() {
    server.stop(0);
    threads.shutdownNow();
  }

  /** Comes back, on the same port and with what it knew. */
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    serve();
  }

  @Override
  public void close() {
    stop();
  }

  String uri() {
    return "http://127.0.0.1:" + port;
  }

  synchronized List<MlflowStore.Run> runs() {
    return store.runs();
  }

  /** The only run of a job. */
  synchronized MlflowStore.Run run(String runId, String job) {
    List<MlflowStore.Run> found =
        store.runs().stream()
            .filter(run -> runId.equals(run.tags.get("guilomo.run_id")))
            .filter(run -> job.equals(run.tags.get("guilomo.job")))
            .toList();
    if (found.size() != 1) {
      throw new AssertionError(found.size() + " runs of " + job + " " + runId);
    }
    return found.get(0);
  }

  synchronized Map<String, String> experiments() {
    return store.experiments();
  }

  /** Messages of refused requests. */
  synchronized List<String> refusals() {
    return List.copyOf(refusals);
  }

  /** Artifact URIs of runs begin with it. */
  synchronized void artifactRoot(String root) {
    store.artifactRoot(root);
  }

  /** Requests without this header are refused. */
  synchronized void require(String header) {
    authorization = header;
  }

  /** The next requests are fulfilled, and their answers lost. */
  synchronized void loseAnswers(int count) {
    lostAnswers = count;
  }

  /** Takes requests from now on, and answers none of them before {@link #release}. */
  void hold() {
    held = new CountDownLatch(1);
  }

  void release() {
    held.countDown();
  }

  /** The next requests fail with status 503. */
  synchronized void fail(int count) {
    failures = count;
  }

  private void answer(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    try {
      held.await();
    } catch (InterruptedException e) {
      exchange.close();
      return;
    }
    String answer;
    int status = 200;
    boolean lost;
    synchronized (this) {
      try {
        answer = answer(exchange, body);
      } catch (MlflowStore.Refusal e) {
        status = e.status;
        answer =
            JSON.createObjectNode()
                .put("error_code", e.code)
                .put("message", e.getMessage())
                .toString();
        refusals.add(e.getMessage());
      }
      lost = lostAnswers-- > 0;
    }
    if (lost) {
      exchange.close();
      return;
    }
    byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private String answer(HttpExchange exchange, byte[] body)
      throws MlflowStore.Refusal, IOException {
    String path = exchange.getRequestURI().getRawPath();
    String method = exchange.getRequestMethod();
    if (failures-- > 0) {
      throw new MlflowStore.Refusal(503, "TEMPORARILY_UNAVAILABLE", "the database is away");
    }
    if (authorization != null
        && !authorization.equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
      throw new MlflowStore.Refusal(401, "UNAUTHENTICATED", "You are not authenticated.");
    }
    if (method.equals("PUT") && path.startsWith(ARTIFACTS)) {
      if (exchange.getRequestHeaders().getFirst("Content-Length") == null) {
        throw MlflowStore.Refusal.invalid("a body without a length");
      }
      store.upload(decoded(path.substring(ARTIFACTS.length())), body);
      return "{}";
    }
    if (method.equals("GET") && path.equals(API + "experiments/get-by-name")) {
      String query = exchange.getRequestURI().getRawQuery();
      return store.experiment(decoded(query.replaceFirst("^experiment_name=", "")));
    }
    String call = path.startsWith(API) ? path.substring(API.length()) : "";
    if (!method.equals("POST") || !MlflowMessages.has(call)) {
      throw new MlflowStore.Refusal(404, "ENDPOINT_NOT_FOUND", method + " " + path);
    }
    if (body.length > 1_000_000) {
      throw MlflowStore.Refusal.invalid(
          "requests must be at most 1000000 bytes, got %d", body.length);
    }
    JsonNode request = JSON.readTree(body);
    MlflowMessages.check(call, request);
    return store.answer(call, request);
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }
}
