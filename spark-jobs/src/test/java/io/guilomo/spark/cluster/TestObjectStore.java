package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.spark.cluster.PackagedJobs.Ended;
import io.guilomo.spark.cluster.PackagedJobs.Running;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs whose model, data, runs and tables are objects of an S3 server. */
@Tag("slow")
class TestObjectStore {

  private static final String EPOCHS = "search.epochs=4";
  private static final String CHECKPOINTS = "checkpoint.every-rounds=2";

  @TempDir private static Path directory;
  private static ObjectStore store;
  private static PackagedJobs jobs;

  @BeforeAll
  static void runUndisturbed() throws Exception {
    store = new ObjectStore(directory);
    jobs = new PackagedJobs(directory, "local[2]", store.options());
    jobs.upload(store);
    long start = System.nanoTime();
    Ended undisturbed = run("allocate", "undisturbed");
    PackagedJobs.report("none, on an object store", start);
    assertThat(undisturbed.status()).as(undisturbed.err()).isZero();
  }

  @AfterAll
  static void stopServer() throws IOException {
    if (store != null) {
      store.close();
    }
  }

  @Test
  void aPlanIsLearnedTrainedScoredAndQueriedThere() throws Exception {
    jobs.allocateInThreads("files", EPOCHS);
    assertThat(plan("undisturbed"))
        .isEqualTo(Files.readString(jobs.output().resolve("runs/files/plan.json")));
    assertThat(store.keys("output/")).noneMatch(key -> key.contains("_temporary"));

    Ended tuned = run("finetune", "undisturbed");
    assertThat(tuned.status()).as(tuned.err()).isZero();
    assertThat(tuned.out()).contains("adapter in " + store.uri("output/runs/undisturbed/adapter"));
    Ended evaluated = run("evaluate", "undisturbed");
    assertThat(evaluated.status()).as(evaluated.err()).isZero();
    assertThat(evaluated.out()).startsWith("accuracy ").contains(" 20 records");
    Ended queried =
        jobs.command(
                "sql",
                List.of(
                    "sql",
                    "--output",
                    store.uri("output"),
                    "SELECT job, status FROM runs WHERE run_id = 'undisturbed' ORDER BY job"))
            .end();
    assertThat(queried.status()).as(queried.err()).isZero();
    assertThat(queried.out()).containsPattern("allocate *[|]SUCCEEDED *[|]");
    assertThat(queried.out()).containsPattern("finetune *[|]SUCCEEDED *[|]");
  }

  @Test
  void aConnectionThatIsLostCostsNothing() throws Exception {
    long start = System.nanoTime();
    Running running = submit("allocate", "lost");
    awaitCheckpoint(running, "lost", 4);
    store.wire().loseOne();
    Ended ended = running.end();
    PackagedJobs.report("connection to the object store lost", start);
    assertThat(ended.status()).as(ended.err()).isZero();
    assertThat(store.wire().hasLost()).isTrue();
    assertThat(plan("lost")).isEqualTo(plan("undisturbed"));
  }

  @Test
  void aStoreThatIsAwayCostsTheRoundsSinceTheCheckpoint() throws Exception {
    Running running =
        submit(
            "allocate",
            "away",
            "--conf",
            "spark.hadoop.fs.s3a.attempts.maximum=1",
            "--conf",
            "spark.hadoop.fs.s3a.retry.limit=2");
    awaitCheckpoint(running, "away", 4);
    store.wire().cut();
    try {
      Ended ended = running.end();
      assertThat(ended.status()).as(ended.err()).isEqualTo(1);
      assertThat(ended.err())
          .containsPattern("error: Cannot append round \\d+ to table (metrics|gsv_history): ");
    } finally {
      store.wire().mend();
    }

    // The newest checkpoint without its manifest is none.
    List<String> manifests =
        store.keys("output/runs/away/checkpoints/").stream()
            .filter(key -> key.endsWith("/manifest.json"))
            .toList();
    assertThat(manifests).hasSizeGreaterThan(1);
    String newest = manifests.get(manifests.size() - 1);
    store.delete(newest);
    long start = System.nanoTime();
    Ended resumed = run("allocate", "away");
    PackagedJobs.report("store away, submitted again", start);
    assertThat(resumed.status()).as(resumed.err()).isZero();
    String checkpoint = newest.substring(0, newest.lastIndexOf('/'));
    assertThat(resumed.err())
        .contains(
            "Cannot read the checkpoint " + store.uri(checkpoint) + ": it has no manifest.json")
        .containsPattern("resuming after round \\d+ of 16");
    assertThat(plan("away")).isEqualTo(plan("undisturbed"));
  }

  private static void awaitCheckpoint(Running running, String runId, int round)
      throws IOException, InterruptedException {
    String manifest =
        "output/runs/%s/checkpoints/allocate/seed-42/round-%08d/manifest.json"
            .formatted(runId, round);
    while (store.keys(manifest).isEmpty()) {
      assertThat(running.process().isAlive()).as(Files.readString(running.err())).isTrue();
      running.process().waitFor(50, TimeUnit.MILLISECONDS);
    }
  }

  private static String plan(String runId) throws IOException, InterruptedException {
    return store.text("output/runs/" + runId + "/plan.json");
  }

  private static Ended run(String job, String runId) throws IOException, InterruptedException {
    return submit(job, runId).end();
  }

  private static Running submit(String job, String runId, String... options) throws IOException {
    List<String> settings = new ArrayList<>(List.of(EPOCHS, CHECKPOINTS));
    settings.addAll(PackagedJobs.elsewhere(store));
    return jobs.submit(List.of(options), job, runId, settings.toArray(String[]::new));
  }
}
