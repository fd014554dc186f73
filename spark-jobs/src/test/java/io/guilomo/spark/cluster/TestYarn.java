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

/** Jobs on YARN whose drivers run there, with model, data and output on HDFS. */
@Tag("slow")
class TestYarn {

  private static final String EPOCHS = "search.epochs=4";

  @TempDir private static Path directory;
  private static HadoopCluster cluster;
  private static PackagedJobs jobs;

  @BeforeAll
  static void startCluster() throws Exception {
    cluster = new HadoopCluster(directory);
    Path spark = Path.of(System.getProperty("guilomo.spark.home"));
    jobs = new PackagedJobs(directory, "yarn", HadoopCluster.options(spark), cluster.environment());
    jobs.upload(cluster);
  }

  @AfterAll
  static void stopCluster() throws IOException {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void aDriverThatDiesIsStartedAgainAndLearnsTheSamePlan() throws Exception {
    long start = System.nanoTime();
    Running running = submit("allocate", "--conf", "spark.yarn.maxAppAttempts=2");
    awaitFile(running, "output/runs/hadoop/checkpoints/allocate/seed-42/round-00000004");
    assertThat(cluster.drivers()).hasSize(1);
    cluster.drivers().get(0).destroyForcibly();
    Ended allocated = running.end();
    PackagedJobs.report("driver on YARN killed", start);
    assertThat(allocated.status()).as(allocated.err() + cluster.logs("stderr")).isZero();
    assertThat(cluster.logs("stderr")).containsPattern("resuming after round \\d+ of 16");
    jobs.allocateInThreads("threads", EPOCHS);
    assertThat(cluster.text("output/runs/hadoop/plan.json"))
        .isEqualTo(Files.readString(jobs.output().resolve("runs/threads/plan.json")));

    Ended tuned = submit("finetune").end();
    assertThat(tuned.status()).as(tuned.err() + cluster.logs("stderr")).isZero();
    assertThat(cluster.logs("stdout"))
        .contains("adapter in " + cluster.uri("output/runs/hadoop/adapter"));
    Ended evaluated = submit("evaluate").end();
    assertThat(evaluated.status()).as(evaluated.err() + cluster.logs("stderr")).isZero();
    assertThat(cluster.logs("stdout")).containsPattern("accuracy .* 20 records");

    Ended checked = submit("doctor").end();
    assertThat(checked.status()).as(checked.err() + cluster.logs("stderr")).isZero();
    assertThat(cluster.logs("stdout"))
        .contains("Spark: 3.5.7, master yarn")
        .contains("guilomo.output.dir: " + cluster.uri("output") + " can be written");

    // From a machine beside the cluster.
    PackagedJobs here = new PackagedJobs(directory, "local[2]", List.of(), cluster.environment());
    Ended queried =
        here.command(
                "sql",
                List.of(
                    "sql",
                    "--output",
                    cluster.uri("output"),
                    "SELECT job, status FROM runs WHERE run_id = 'hadoop' ORDER BY job"))
            .end();
    assertThat(queried.status()).as(queried.err()).isZero();
    assertThat(queried.out())
        .containsPattern("allocate *[|]SUCCEEDED *[|]")
        .containsPattern("finetune *[|]SUCCEEDED *[|]");
    Ended exported =
        here.command(
                "export",
                List.of(
                    "export",
                    "--adapter",
                    cluster.uri("output/runs/hadoop/adapter"),
                    "--format",
                    "guilomo",
                    "--output",
                    cluster.uri("served")))
            .end();
    assertThat(exported.status()).as(exported.err()).isZero();
    assertThat(cluster.exists("served/README.md")).isTrue();
  }

  private static void awaitFile(Running running, String path)
      throws IOException, InterruptedException {
    while (!cluster.exists(path)) {
      assertThat(running.process().isAlive())
          .as(Files.readString(running.err()) + cluster.logs("stderr"))
          .isTrue();
      running.process().waitFor(50, TimeUnit.MILLISECONDS);
    }
  }

  private static Running submit(String job, String... options) throws IOException {
    List<String> settings = new ArrayList<>(List.of(EPOCHS, "checkpoint.every-rounds=2"));
    settings.addAll(PackagedJobs.elsewhere(cluster));
    return jobs.submit(List.of(options), job, "hadoop", settings.toArray(String[]::new));
  }
}
