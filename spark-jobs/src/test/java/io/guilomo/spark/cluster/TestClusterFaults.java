package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.cluster.PackagedJobs.Ended;
import io.guilomo.spark.cluster.PackagedJobs.Running;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Processes of a cluster that die or hang while a search goes on. */
@Tag("slow")
class TestClusterFaults {

  private static final String EPOCHS = "search.epochs=8";
  private static final String CHECKPOINTS = "checkpoint.every-rounds=2";

  @TempDir private static Path directory;
  private static StandaloneCluster cluster;

  @BeforeAll
  static void runUndisturbed() throws Exception {
    // What Spark waits for executors that hang, two minutes by default, before it ends.
    List<String> spark = List.of("--conf", "spark.rpc.askTimeout=30s");
    cluster = new StandaloneCluster(directory, spark, "--workers", "2", "--memory", "1g");
    long start = System.nanoTime();
    Ended undisturbed = cluster.run("allocate", "undisturbed", EPOCHS, CHECKPOINTS);
    PackagedJobs.report("none", start);
    assertThat(undisturbed.status()).as(undisturbed.err()).isZero();
  }

  @AfterAll
  static void stopCluster() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void anExecutorThatDiesCostsItsPartOfARound() throws Exception {
    long start = System.nanoTime();
    Running withoutExecutor = cluster.submit("allocate", "executor", EPOCHS, CHECKPOINTS);
    withoutExecutor.await(cluster.checkpoint("executor", 2));
    assertThat(cluster.executors()).hasSize(2);
    cluster.executors().get(0).destroyForcibly();
    Ended survived = withoutExecutor.end();
    PackagedJobs.report("executor killed", start);
    assertThat(survived.status()).as(survived.err()).isZero();
    assertSameAsUndisturbed("executor");
  }

  @Test
  void aDriverThatDiesCostsTheRoundsSinceTheCheckpoint() throws Exception {
    Running withoutDriver = cluster.submit("allocate", "driver", EPOCHS, CHECKPOINTS);
    withoutDriver.await(cluster.checkpoint("driver", 4));
    Ended refused = cluster.run("allocate", "driver", EPOCHS);
    assertThat(refused.status()).isEqualTo(2);
    assertThat(refused.err())
        .contains("error: Cannot start allocate of run driver: app-")
        .contains(" is running it; wait for it or use another run.id");
    withoutDriver.process().destroyForcibly().waitFor();
    assertGoesOn("driver", "driver killed");
  }

  @Test
  void aWorkerThatHangsEndsTheJobWhichGoesOnWithAnother() throws Exception {
    Running hanging =
        cluster.submit(
            "allocate", "hanging", EPOCHS, CHECKPOINTS, "cluster.round-timeout-seconds=10");
    hanging.await(cluster.checkpoint("hanging", 2));
    ProcessHandle executor = cluster.executors().get(0);
    signal("STOP", executor);
    try {
      Ended ended = hanging.end();
      assertThat(ended.status()).isEqualTo(1);
      assertThat(ended.err())
          .containsPattern(
              "error: Cannot finish averaging round \\d+ in 10 s"
                  + " \\(cluster.round-timeout-seconds\\): . of 2 workers did not answer");
      // It hangs still: Spark ends it and starts another in its place.
      assertGoesOn("hanging", "worker hangs");
    } finally {
      signal("CONT", executor);
    }
  }

  private static void assertGoesOn(String run, String fault) throws Exception {
    long start = System.nanoTime();
    Ended resumed = cluster.run("allocate", run, EPOCHS, CHECKPOINTS);
    assertThat(resumed.status()).as(resumed.err()).isZero();
    PackagedJobs.report(fault + ", submitted again", start);
    assertThat(resumed.err()).containsPattern("resuming after round \\d+ of 32");
    assertSameAsUndisturbed(run);
  }

  private static void signal(String name, ProcessHandle process)
      throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().waitFor();
  }

  private static void assertSameAsUndisturbed(String run) throws IOException {
    Path runs = cluster.output().resolve("runs");
    assertThat(Files.readString(runs.resolve(run).resolve("plan.json")))
        .isEqualTo(Files.readString(runs.resolve("undisturbed/plan.json")));
    TableReader tables = new TableReader(SharedSparkSession.session(), cluster.output().toString());
    for (Table<?> table : List.of(GsvHistoryTable.INSTANCE, MetricsTable.INSTANCE)) {
      var rows = tables.read(table, run).drop("run_id", "at");
      var expected = tables.read(table, "undisturbed").drop("run_id", "at");
      if (table == MetricsTable.INSTANCE) {
        // No two runs are equally fast.
        String same = "name NOT IN ('tokens_per_second', 'search_seconds')";
        rows = rows.filter(same);
        expected = expected.filter(same);
      }
      assertThat(rows.count()).as(table.name()).isEqualTo(expected.count()).isPositive();
      assertThat(rows.exceptAll(expected).collectAsList()).as(table.name()).isEmpty();
    }
  }
}
