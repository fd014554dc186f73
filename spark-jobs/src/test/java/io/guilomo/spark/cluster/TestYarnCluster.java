package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.spark.cluster.PackagedJobs.Ended;
import io.guilomo.spark.cluster.PackagedJobs.Running;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.RMApp;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jobs on YARN, with their drivers in the cluster. */
@Tag("fault")
class TestYarnCluster {

  private static final List<String> SEARCH =
      List.of("search.epochs=4", "checkpoint.every-rounds=2");

  @TempDir private Path directory;

  @Test
  void aSecondAttemptGoesOnWhereTheFirstWasKilled() throws Exception {
    try (YarnCluster cluster = new YarnCluster(directory)) {
      cluster.allocateInThreads("undisturbed", SEARCH.toArray(String[]::new));
      Path config = directory.resolve("yarn.conf");
      Files.write(
          config,
          Stream.concat(cluster.settings().stream(), SEARCH.stream())
              .map(setting -> "guilomo." + setting)
              .toList());
      long start = System.nanoTime();
      Running running = submit(cluster, "allocate", config);
      cluster.await(running, cluster.checkpoint("killed", 4));
      RMApp application = cluster.application();
      // What the container has outside the heap, and a file that spark-submit has sent.
      assertThat(cluster.driver(application))
          .contains("-Dorg.bytedeco.javacpp.maxBytes=2048m ", "--arg --config --arg yarn.conf ");
      cluster.killDriver(application);
      long killed = System.nanoTime();
      Ended ended = running.end();
      assertThat(ended.status()).as(ended.err() + cluster.err(application, 2)).isZero();
      System.out.printf(
          "fault: application master killed: ended in %.1f s, %.1f s after it%n",
          (System.nanoTime() - start) / 1e9, (System.nanoTime() - killed) / 1e9);
      assertThat(application.getAppAttempts()).hasSize(2);
      assertThat(ended.err()).contains(application.getApplicationId().toString());
      assertThat(cluster.err(application, 2)).containsPattern("resuming after round \\d+ of 16");
      cluster.assertSameRun("killed", "undisturbed");

      Ended tuned = submit(cluster, "finetune", config).end();
      RMApp tuning = cluster.application();
      assertThat(tuned.status()).as(tuned.err() + cluster.err(tuning, 1)).isZero();
      assertThat(tuning.getAppAttempts()).hasSize(1);
      assertThat(cluster.output().resolve("runs/killed/adapter"))
          .isDirectoryContaining("glob:**manifest.json");

      // What looks at a run needs no cluster.
      Ended asked =
          cluster
              .start(
                  "sql",
                  "deploy/guilomo",
                  "sql",
                  "--output",
                  cluster.output().toString(),
                  "SELECT job, status FROM runs WHERE run_id = 'killed' ORDER BY job")
              .end();
      assertThat(asked.status()).as(asked.err()).isZero();
      assertThat(asked.out()).containsPattern("allocate\\W+SUCCEEDED\\W+finetune\\W+SUCCEEDED");
      Path served = directory.resolve("served");
      Ended exported =
          cluster
              .start(
                  "export",
                  "deploy/guilomo",
                  "export",
                  "--adapter",
                  cluster.output().resolve("runs/killed/adapter").toString(),
                  "--format",
                  "guilomo",
                  "--output",
                  served.toString())
              .end();
      assertThat(exported.status()).as(exported.err()).isZero();
      assertThat(served).isDirectoryContaining("glob:**README.md");
    }
  }

  private static Running submit(YarnCluster cluster, String job, Path config) throws Exception {
    return cluster.command(
        job,
        List.of(
            job,
            "--config",
            config.toString(),
            "--set",
            "run.id=killed",
            "--set",
            "output.dir=" + cluster.output()));
  }
}
