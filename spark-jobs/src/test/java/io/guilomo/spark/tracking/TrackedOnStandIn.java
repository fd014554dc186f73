package io.guilomo.spark.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.MetricsTable.Metric;
import io.guilomo.spark.table.MetricsTable.Moment;
import io.guilomo.spark.tracking.JobTracker.Ending;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Jobs that are told to a tracker whose server is a {@link MlflowStandIn}. */
abstract class TrackedOnStandIn {

  static final Ending SUCCESS = new Ending(null, true);

  /** Outlasts a busy machine, on which a server that is there takes its time. */
  static final Duration LONG = Duration.ofSeconds(60);

  /** For servers that never answer. */
  static final Duration SHORT = Duration.ofMillis(400);

  @TempDir Path directory;
  final BlockingQueue<String> messages = new LinkedBlockingQueue<>();
  Duration silence = LONG;
  MlflowStandIn server;

  @BeforeEach
  void start() throws IOException {
    server = new MlflowStandIn();
  }

  @AfterEach
  void stop() {
    server.close();
    assertThat(server.refusals())
        .filteredOn(refusal -> !refusal.startsWith("Could not find experiment"))
        .filteredOn(refusal -> !refusal.contains("authenticated"))
        .filteredOn(refusal -> !refusal.contains("is away"))
        .isEmpty();
  }

  MlflowTracking tracking(Map<String, String> environment) {
    MlflowSender.Patience patience =
        new MlflowSender.Patience(
            Duration.ofMillis(10), Duration.ofMillis(50), 3, silence, LONG, 100);
    return new MlflowTracking(config().tracking(), environment, messages::add, patience);
  }

  JobTracker begin(String name, boolean continues) {
    return begin(Map.of(), name, continues);
  }

  JobTracker begin(Map<String, String> environment, String name, boolean continues) {
    return tracking(environment).begin(job(config(), name, continues));
  }

  TrackedJob job(GuilomoConfig config, String name, boolean continues) {
    return new TrackedJob(
        "r1",
        name,
        continues,
        Instant.now(),
        new TrackedJob.Labels("uniform", "1.0", "local-1"),
        config,
        new org.apache.hadoop.fs.Path(directory.toString()),
        new Configuration());
  }

  GuilomoConfig config() {
    return GuilomoConfig.load(
        null,
        List.of("tracking.mlflow.uri=" + server.uri(), "data.query=SELECT " + "x".repeat(7000)));
  }

  static void round(JobTracker job, long round) {
    job.wrote(MetricsTable.INSTANCE, List.of(metric(round, -1, "train", "loss", 1.0 / round)));
  }

  static Metric metric(long round, int worker, String split, String name, double value) {
    return new Metric(moment(round), worker, split, name, value);
  }

  static Moment moment(long round) {
    return new Moment("job", 42, round, 10 * round, Instant.now());
  }

  static List<Long> rounds(long first, long last) {
    return new ArrayList<>(LongStream.rangeClosed(first, last).boxed().toList());
  }

  String next() throws InterruptedException {
    return String.valueOf(messages.poll(20, TimeUnit.SECONDS));
  }

  static String plan() {
    return AllocationPlanParser.toJson(
        new UniformAllocation(2, 2, RoutingMethod.topK(2), 16)
            .plan(List.of(new LinearModule(0, "q_proj", 8, 8))));
  }

  void write(String file, String text) throws IOException {
    Path path = directory.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }
}
