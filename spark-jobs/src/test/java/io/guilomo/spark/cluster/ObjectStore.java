package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;

/**
 * A bucket of an S3 server (S3Proxy, which keeps objects in the memory of a process of its own),
 * and the wire by which jobs reach it. Its own requests do not take the wire.
 */
final class ObjectStore implements PackagedJobs.Storage, AutoCloseable {

  private static final String BUCKET = "guilomo";
  private static final Pattern KEY = Pattern.compile("<Key>([^<]*)</Key>");

  private final HttpClient client = HttpClient.newHttpClient();
  private final Process server;
  private final int port;
  private final FaultyWire wire;

  /**
   * Skips the running test where the server's jar is not there.
   *
   * @param directory for the server's settings and messages
   */
  ObjectStore(Path directory) throws IOException, InterruptedException {
    Path jar = Path.of(System.getProperty("guilomo.s3-server", ""));
    Assumptions.assumeTrue(Files.isRegularFile(jar), "system property guilomo.s3-server: no jar");
    port = freePort();
    Path settings =
        Files.write(
            directory.resolve("s3proxy.properties"),
            List.of(
                "s3proxy.endpoint=http://127.0.0.1:" + port,
                "s3proxy.authorization=none",
                "jclouds.provider=transient",
                "jclouds.identity=unused",
                "jclouds.credential=unused"));
    server =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-jar",
                jar.toString(),
                "--properties",
                settings.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("s3proxy.log").toFile())
            .start();
    wire = new FaultyWire(port);
    awaitServer();
    assertThat(send("PUT", "", BodyPublishers.noBody()).statusCode()).isEqualTo(200);
  }

  private static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0)) {
      return free.getLocalPort();
    }
  }

  private void awaitServer() throws IOException, InterruptedException {
    while (true) {
      try {
        send("GET", "", BodyPublishers.noBody());
        return;
      } catch (IOException e) {
        if (server.waitFor(50, TimeUnit.MILLISECONDS)) {
          throw e;
        }
      }
    }
  }

  /** Options of jobs that use it. */
  List<String> options() {
    return List.of(
        "--conf", "spark.hadoop.fs.s3a.endpoint=http://127.0.0.1:" + wire.port(),
        "--conf", "spark.hadoop.fs.s3a.path.style.access=true",
        "--conf", "spark.hadoop.fs.s3a.access.key=unused",
        "--conf", "spark.hadoop.fs.s3a.secret.key=unused");
  }

  FaultyWire wire() {
    return wire;
  }

  @Override
  public String uri(String key) {
    return "s3a://" + BUCKET + "/" + key;
  }

  @Override
  public void put(Path file, String key) throws IOException, InterruptedException {
    assertThat(send("PUT", "/" + key, BodyPublishers.ofFile(file)).statusCode()).isEqualTo(200);
  }

  /** What an object holds. */
  String text(String key) throws IOException, InterruptedException {
    HttpResponse<String> answer = send("GET", "/" + key, BodyPublishers.noBody());
    assertThat(answer.statusCode()).as(key).isEqualTo(200);
    return answer.body();
  }

  void delete(String key) throws IOException, InterruptedException {
    assertThat(send("DELETE", "/" + key, BodyPublishers.noBody()).statusCode()).isEqualTo(204);
  }

  /** The keys that begin so, in order; at most 1,000. */
  List<String> keys(String prefix) throws IOException, InterruptedException {
    String query = "?list-type=2&prefix=" + URLEncoder.encode(prefix, StandardCharsets.UTF_8);
    return KEY.matcher(send("GET", query, BodyPublishers.noBody()).body())
        .results()
        .map((MatchResult key) -> key.group(1))
        .toList();
  }

  private HttpResponse<String> send(String method, String place, BodyPublisher body)
      throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + port + "/" + BUCKET + place);
    return client.send(
        HttpRequest.newBuilder(uri).method(method, body).build(), BodyHandlers.ofString());
  }

  @Override
  public void close() throws IOException {
    wire.close();
    server.destroyForcibly();
  }
}
