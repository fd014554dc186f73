package io.guilomo.spark.tracking;

import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.spark.table.RunLayout;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.tracking.MlflowSender.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A job, as a run of MLflow. A job that goes on with what an earlier attempt left goes on with its
 * run. The run is found or made, and its fields are used, by the thread that sends.
 */
final class MlflowJob implements JobTracker {

  private static final String RUN_ID = "guilomo.run_id";
  private static final String JOB = "guilomo.job";
  private static final String DIRECTORY = "guilomo.directory";
  private static final String ATTEMPT = "guilomo.attempt";
  private static final String PARENT = "mlflow.parentRunId";
  private static final int LONGEST_TAG = 5000;

  private final MlflowTracking tracking;
  private final MlflowSender sender;
  private final MlflowJob parent;
  private final TrackedJob job;
  private final String attempt = UUID.randomUUID().toString();
  private MlflowRun run;
  private boolean repeats;
  private volatile boolean ended;

  /**
   * @param parent the job that this one is part of; null for none
   */
  MlflowJob(MlflowTracking tracking, MlflowSender sender, MlflowJob parent, TrackedJob job) {
    this.tracking = tracking;
    this.sender = sender;
    this.parent = parent;
    this.job = job;
  }

  MlflowJob start() {
    tracking.begun(this);
    sender.send(Kind.RUNS, 1, this::start);
    return this;
  }

  @Override
  public JobTracker begin(TrackedJob part) {
    return MlflowTracking.tracks(part)
        ? new MlflowJob(tracking, sender, this, part).start()
        : JobTracker.none();
  }

  private void start(MlflowClient client) throws IOException, InterruptedException {
    String experiment = client.experiment();
    Map<String, String> key = Map.of(RUN_ID, job.runId(), JOB, job.name());
    Optional<MlflowRun> earlier =
        client.runs(experiment, new TreeMap<>(key)).stream()
            .filter(found -> job.directory().toString().equals(found.tags().get(DIRECTORY)))
            .findFirst()
            // Its own, where an answer has not arrived, or one to go on with.
            .filter(
                found ->
                    attempt.equals(found.tags().get(ATTEMPT))
                        || job.continues() && !found.isFinished());
    MlflowRun begun =
        earlier.isPresent()
            ? earlier.get()
            : client.create(
                experiment, job.runId() + " " + job.name(), job.startedAt().toEpochMilli(), tags());
    MlflowParameters parameters = MlflowParameters.of(job.config());
    client.logParameters(begun.id(), parameters.missing(begun.parameters()));
    if (earlier.isPresent()) {
      client.reopen(begun.id());
      Map<String, String> tags = tags();
      String changed = parameters.changes(begun.parameters());
      if (!changed.isEmpty()) {
        tags.put("guilomo.changed", cut(changed));
      }
      client.setTags(begun.id(), tags);
      // With other settings the same rounds may have other values.
      repeats = changed.isEmpty();
    }
    run = begun;
    if (parent == null) {
      sender.tell(
          "MLflow has this job as %s/#/experiments/%s/runs/%s"
              .formatted(client.uri(), experiment, begun.id()));
    }
  }

  private Map<String, String> tags() {
    Map<String, String> tags = new LinkedHashMap<>();
    tags.put(RUN_ID, job.runId());
    tags.put(JOB, job.name());
    tags.put(DIRECTORY, job.directory().toString());
    tags.put(ATTEMPT, attempt);
    tags.put("guilomo.seed", String.valueOf(job.config().run().seed()));
    tags.put("guilomo.strategy", job.labels().strategy());
    tags.put("guilomo.version", job.labels().version());
    tags.put("guilomo.application", job.labels().application());
    tags.put("mlflow.source.name", "guilomo " + job.name());
    tags.put("mlflow.source.type", "JOB");
    tags.put("mlflow.user", System.getProperty("user.name", ""));
    if (parent != null && parent.run != null) {
      tags.put(PARENT, parent.run.id());
    }
    tags.replaceAll((key, value) -> cut(value));
    tags.values().removeIf(String::isEmpty);
    return tags;
  }

  private static String cut(String tag) {
    return tag.length() > LONGEST_TAG ? tag.substring(0, LONGEST_TAG - 1) + "…" : tag;
  }

  @Override
  public <R> void wrote(Table<R> table, List<R> rows) {
    List<MetricPoint> points =
        MetricPoint.of(table, rows, job.hasSeveralSeeds(), System.currentTimeMillis());
    if (!points.isEmpty()) {
      sender.send(Kind.VALUES, points.size(), client -> log(client, points));
    }
  }

  private void log(MlflowClient client, List<MetricPoint> points)
      throws IOException, InterruptedException {
    MlflowRun own = own();
    client.logMetrics(
        own.id(),
        points.stream()
            .filter(
                point -> !repeats || point.step() > own.lastSteps().getOrDefault(point.name(), -1L))
            .toList());
  }

  /** The run, where it could be found or made. */
  private MlflowRun own() throws MlflowRefusal {
    if (run == null) {
      throw new MlflowRefusal(MlflowRefusal.NOT_BEGUN, "the run could not be begun");
    }
    return run;
  }

  @Override
  public void end(Ending ending) {
    if (tracking.isKilled()) {
      // The failure is a consequence of the kill.
      return;
    }
    ended = true;
    try {
      if (ending.succeeded() && job.hasPlan()) {
        sendPlan();
      }
      sendFiles(ending);
    } catch (IOException | RuntimeException e) {
      sender.tell("warning: MLflow does not get all files of the run: " + e.getMessage());
    }
    sendEnd(ending);
    if (parent == null) {
      sender.finish();
    }
    tracking.ended(this);
  }

  private void sendEnd(Ending ending) {
    long now = System.currentTimeMillis();
    sender.send(
        Kind.RUNS,
        1,
        client -> {
          if (!ending.succeeded()) {
            String line = String.valueOf(ending.failure().getMessage()).strip();
            client.setTags(
                own().id(), Map.of("guilomo.error", cut(line.isEmpty() ? "unknown" : line)));
          }
          client.end(own().id(), ending.succeeded() ? MlflowRun.FINISHED : MlflowRun.FAILED, now);
        });
  }

  /** Ends the run as one that somebody else has ended. */
  void kill() {
    long now = System.currentTimeMillis();
    if (!ended) {
      sender.send(Kind.RUNS, 1, client -> client.end(own().id(), MlflowRun.KILLED, now));
    }
  }

  MlflowSender sender() {
    return sender;
  }

  private void sendPlan() throws IOException {
    Path file = new Path(job.directory(), RunLayout.PLAN);
    FileSystem files = file.getFileSystem(job.hadoop());
    if (!files.exists(file)) {
      return;
    }
    AllocationPlan plan;
    try (InputStream in = files.open(file)) {
      plan = AllocationPlanParser.fromJson(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
    long now = System.currentTimeMillis();
    List<MetricPoint> points =
        List.of(
            new MetricPoint("plan/parameters", 0, plan.parameters(), now),
            new MetricPoint("plan/experts", 0, plan.totalExperts(), now),
            new MetricPoint("plan/total_rank", 0, plan.totalRank(), now));
    sender.send(Kind.VALUES, points.size(), client -> log(client, points));
  }

  private void sendFiles(Ending ending) throws IOException {
    for (RunFiles.RunFile file : new RunFiles(job, ending).list()) {
      sender.send(Kind.FILES, 1, client -> upload(client, file));
    }
  }

  /** Where clients must write files themselves, the run has the directory as a tag, no more. */
  private void upload(MlflowClient client, RunFiles.RunFile file)
      throws IOException, InterruptedException {
    Optional<ArtifactLocation> location = ArtifactLocation.of(client.uri(), own().artifactUri());
    if (location.isPresent()) {
      client.upload(location.get().of(file.name()), file, sender::progressed);
    }
  }
}
