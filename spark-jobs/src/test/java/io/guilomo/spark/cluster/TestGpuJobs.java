package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.kernel.cuda.FakeCard;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.cluster.PackagedJobs.Ended;
import io.guilomo.spark.cluster.PackagedJobs.Running;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Jobs whose executors compute on GPUs: two stand-ins for cards, which Spark schedules. The driver
 * has none.
 */
@Tag("slow")
class TestGpuJobs {

  private static final Path LIBRARIES = Path.of("target/fake-card").toAbsolutePath();
  private static final String GPU = "cluster.device=gpu";
  private static final String BFLOAT16 = "model.precision=bfloat16";

  @TempDir private static Path directory;
  private static StandaloneCluster cluster;

  @BeforeAll
  static void allocate() throws Exception {
    FakeCard.build(Path.of("../common/src/test/cuda").toAbsolutePath(), LIBRARIES);
    Path discovery = directory.resolve("gpus");
    Files.writeString(
        discovery, "#!/bin/sh\necho '{\"name\":\"gpu\",\"addresses\":[\"0\",\"1\"]}'\n");
    Files.setPosixFilePermissions(discovery, PosixFilePermissions.fromString("rwxr-xr-x"));
    List<String> spark =
        List.of(
            "--executor-cores",
            "2",
            "--conf",
            "spark.executor.resource.gpu.amount=1",
            "--conf",
            "spark.task.resource.gpu.amount=0.5",
            "--conf",
            "spark.executorEnv.GUILOMO_CUDA_LIBRARIES=" + LIBRARIES,
            "--conf",
            "spark.executorEnv.GUILOMO_FAKE_DEVICES=2",
            "--conf",
            "spark.executor.extraJavaOptions=" + cache());
    cluster =
        new StandaloneCluster(
            directory, spark, "--workers", "1", "--cores", "4", "--memory", "2g", "--gpus", "2");
    Ended allocated = cluster.run("allocate", "cards", GPU);
    assertThat(allocated.status()).as(allocated.err()).isZero();
    assertThat(allocated.err()).contains("search: round 4 of 4").doesNotContain("WARN", "ERROR");
    assertThat(executorLogs()).contains("computing on GPU 0", "computing on GPU 1");
    assertThat(plan("cards")).isRegularFile();
  }

  @AfterAll
  static void stopCluster() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void aPlanIsTrainedOverBfloat16WeightsAndTheAdapterUsed() throws Exception {
    Ended tuned = cluster.run("finetune", "cards", GPU, BFLOAT16);
    assertThat(tuned.status()).as(tuned.err()).isZero();
    assertThat(tuned.out()).startsWith("strategy guilomo: ").contains("adapter in ");

    Ended evaluated = cluster.run("evaluate", "cards", GPU, BFLOAT16);
    assertThat(evaluated.status()).as(evaluated.err()).isZero();
    assertThat(evaluated.out()).startsWith("accuracy ").contains(" 20 records");
  }

  @Test
  void anExecutorThatDiesCostsItsPartOfARound() throws Exception {
    Running job = cluster.submit("allocate", "dies", GPU, "checkpoint.every-rounds=2");
    job.await(cluster.checkpoint("dies", 2));
    assertThat(cluster.executors()).hasSize(2);
    cluster.executors().get(0).destroyForcibly();
    Ended survived = job.end();
    assertThat(survived.status()).as(survived.err()).isZero();
    assertThat(plan("dies")).hasSameTextualContentAs(plan("cards"));
    TableReader tables = new TableReader(SharedSparkSession.session(), cluster.output().toString());
    var history = tables.read(GsvHistoryTable.INSTANCE, "dies").drop("run_id", "at");
    var expected = tables.read(GsvHistoryTable.INSTANCE, "cards").drop("run_id", "at");
    assertThat(history.count()).isEqualTo(expected.count()).isPositive();
    assertThat(history.exceptAll(expected).collectAsList()).isEmpty();
  }

  @Test
  void aModelThatDoesNotFitTheCardIsRefused() throws Exception {
    List<String> small = List.of("--conf", "spark.executorEnv.GUILOMO_FAKE_MEMORY=64m");
    Ended refused = cluster.submit(small, "allocate", "small", GPU).end();
    assertThat(refused.status()).as(refused.err()).isEqualTo(2);
    assertThat(refused.err())
        .containsPattern(
            "(?m)^error: Cannot allocate \\d\\.\\d\\d GB more on GPU [01] \\(Fake card\\):"
                + " 0\\.\\d\\d of 0\\.07 GB are free; take smaller batches, .*$")
        .doesNotContain("\tat ");
  }

  @Test
  void anExecutorHasTwoCards() throws Exception {
    List<String> both =
        List.of(
            "--conf",
            "spark.executor.resource.gpu.amount=2",
            "--conf",
            "spark.task.resource.gpu.amount=1");
    Ended allocated = cluster.submit(both, "allocate", "both", GPU).end();
    assertThat(allocated.status()).as(allocated.err()).isZero();
    assertThat(plan("both")).hasSameTextualContentAs(plan("cards"));
  }

  @Test
  void tasksOfOneProcessShareACard() throws Exception {
    List<String> driver =
        List.of("--driver-java-options", "-Dguilomo.cuda.libraries=" + LIBRARIES + " " + cache());
    PackagedJobs jobs = new PackagedJobs(directory, "local[2]", driver);
    Ended allocated = jobs.run("allocate", "local", GPU);
    assertThat(allocated.status()).as(allocated.err()).isZero();
    assertThat(plan("local")).hasSameTextualContentAs(plan("cards"));
    Ended doctor = jobs.run("doctor", "local", GPU);
    assertThat(doctor.status()).as(doctor.out() + doctor.err()).isZero();
    assertThat(doctor.out())
        .contains("GPU 0, driver: card Fake card, ")
        .containsPattern("memory of guilomo.finetune: needs .* the rest is on the GPU\\) and has ");
  }

  /** Compiled kernels stay in the build. */
  private static String cache() {
    return "-Dguilomo.cuda.cache=" + LIBRARIES.resolve("kernels");
  }

  private static Path plan(String runId) {
    return cluster.output().resolve("runs").resolve(runId).resolve("plan.json");
  }

  /** What all executors of all jobs have said so far. */
  private static String executorLogs() throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve("cluster/work-1"))) {
      return files
          .filter(file -> file.endsWith("stderr"))
          .map(TestGpuJobs::text)
          .collect(Collectors.joining());
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
