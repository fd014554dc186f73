package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the scripts say before they start anything. */
class TestDeployScripts {

  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  @TempDir private Path directory;

  private record Result(int status, String out, String err) {}

  @ParameterizedTest
  @ValueSource(
      strings = {"deploy/guilomo", "deploy/standalone-cluster", "deploy/common.bash", ".ci/run"})
  void areBash(String script) throws Exception {
    assertThat(run("bash", "-n", script)).isEqualTo(new Result(0, "", ""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"deploy/guilomo", "deploy/standalone-cluster"})
  void explainThemselves(String script) throws Exception {
    Result help = run(script, "--help");
    assertThat(help.status()).isZero();
    assertThat(help.out()).startsWith("Usage: " + script);
    assertThat(help.err()).isEmpty();
    assertThat(run(script)).isEqualTo(new Result(2, "", help.out()));
  }

  @Test
  void helpNamesEveryCommand() throws Exception {
    assertThat(run("deploy/guilomo", "--help").out())
        .contains("  quickstart ", "  allocate ", "  bench ");
  }

  @Test
  void aMissingJarIsTheUsersToBuild() throws Exception {
    assertThat(run("deploy/guilomo", "allocate"))
        .isEqualTo(
            new Result(
                2,
                "",
                "error: Cannot find the jar of the jobs: build it with mvn -DskipTests package\n"));
  }

  @Test
  void anOptionOfSparkNeedsItsValue() throws Exception {
    assertThat(run("deploy/guilomo", "allocate", "--master"))
        .isEqualTo(new Result(2, "", "error: Cannot use --master without a value\n"));
  }

  @Test
  void aClusterThatDoesNotRunHasNoStatusAndNothingToStop() throws Exception {
    assertThat(run("deploy/standalone-cluster", "status"))
        .isEqualTo(new Result(1, "not running\n", ""));
    assertThat(run("deploy/standalone-cluster", "stop")).isEqualTo(new Result(0, "stopped\n", ""));
    assertThat(run("deploy/standalone-cluster", "restart"))
        .isEqualTo(new Result(2, "", "error: Cannot restart: expected start, stop or status\n"));
    assertThat(run("deploy/standalone-cluster", "start", "--workers", "0").err())
        .isEqualTo("error: Cannot start with 0 workers or cores: expected a number above 0\n");
  }

  private Result run(String... command) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(ROOT.toFile());
    builder.environment().put("GUILOMO_CLUSTER_DIR", directory.resolve("cluster").toString());
    builder.environment().put("GUILOMO_JAR", directory.resolve("none.jar").toString());
    Path err = directory.resolve("err");
    Process process = builder.redirectError(err.toFile()).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    return new Result(status, out, Files.readString(err));
  }
}
