package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.spark.cluster.StandaloneCluster.Ended;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Spark's scheduling of GPUs, with a script that claims that there are some. */
@Tag("cluster")
class TestGpuScheduling {

  @TempDir private Path directory;

  @Test
  void eachWorkerHasAGpuOfItsOwn() throws Exception {
    Path discovery = directory.resolve("gpus");
    Files.writeString(
        discovery, "#!/bin/sh\necho '{\"name\":\"gpu\",\"addresses\":[\"0\",\"1\"]}'\n");
    Files.setPosixFilePermissions(discovery, PosixFilePermissions.fromString("rwxr-xr-x"));
    // Other stages may run two tasks a GPU, those of a round ask for one each.
    List<String> gpus =
        List.of(
            "--executor-cores",
            "2",
            "--conf",
            "spark.executor.resource.gpu.amount=1",
            "--conf",
            "spark.task.resource.gpu.amount=0.5");
    try (StandaloneCluster cluster =
        new StandaloneCluster(
            directory, gpus, "--workers", "1", "--cores", "4", "--memory", "2g", "--gpus", "2")) {
      Ended doctor = cluster.run("doctor", "gpus");
      assertThat(doctor.status()).as(doctor.out() + doctor.err()).isZero();
      assertThat(doctor.out())
          .containsPattern(
              "warning  GPUs: executor . on \\S+: [01]; executor . on \\S+: [01]; they are not used:")
          .doesNotContain(": 0; executor 1 on localhost: 0;");

      Ended allocated = cluster.run("allocate", "gpus");
      assertThat(allocated.status()).as(allocated.err()).isZero();
      assertThat(allocated.err()).contains("search: round 4 of 4");

      Ended refused = cluster.run("allocate", "none", "cluster.device=gpu");
      assertThat(refused.status()).isEqualTo(2);
      assertThat(refused.err())
          .endsWith(
              "error: Cannot compute with cluster.device=gpu: the jar has ND4J's CPU backend; build"
                  + " it with mvn -Pcuda package\n");
    }
  }
}
