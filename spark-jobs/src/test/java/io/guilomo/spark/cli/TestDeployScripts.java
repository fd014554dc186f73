package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.guilomo.backbone.BertConfig;
import io.guilomo.backbone.LinearModule;
import io.guilomo.backbone.LlamaConfig;
import io.guilomo.plan.StateDictOrder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
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
      strings = {
        "deploy/guilomo",
        "deploy/standalone-cluster",
        "deploy/common.bash",
        "notebooks/run",
        ".ci/run"
      })
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
        .contains(
            "  quickstart ", "  allocate ", "  export ", "  report ", "  doctor ", "  bench ");
  }

  @Test
  void pythonIsSound() throws Exception {
    String loader = "deploy/python/load_adapter.py";
    String text = Files.readString(ROOT.resolve(loader));
    assertPaths(LlamaConfig.MODULES, StateDictOrder.LLAMA3, text);
    assertPaths(BertConfig.MODULES, StateDictOrder.BERT, text);
    assumeTrue(hasPython(), "skipped: there is no python3");
    assertThat(run("python3", "-m", "py_compile", loader)).isEqualTo(new Result(0, "", ""));
  }

  /** The loader's table says where {@code StateDictOrder} finds each module. */
  private static void assertPaths(List<String> modules, StateDictOrder order, String text) {
    for (String module : modules) {
      String path = order.path(new LinearModule(7, module, 1, 1)).replaceFirst("^model\\.", "");
      assertThat(text).contains("\"%s\": \"%s\"".formatted(module, path.replace("7", "{}")));
    }
  }

  private static boolean hasPython() throws InterruptedException {
    try {
      return new ProcessBuilder("python3", "--version").start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
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
  void executorsMayUseTheirOverheadOutsideTheHeap() throws Exception {
    Path submit = Files.createDirectories(directory.resolve("spark/bin")).resolve("spark-submit");
    Files.createDirectory(directory.resolve("spark/jars"));
    Files.writeString(submit, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
    Files.setPosixFilePermissions(submit, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.createFile(directory.resolve("none.jar"));
    String overhead = "spark.executor.memoryOverhead=60g";
    assertThat(run("deploy/guilomo", "allocate", "--conf", overhead).out())
        .contains(overhead + "\n")
        .containsPattern("spark.executor.extraJavaOptions=.*javacpp.maxBytes=60g ")
        .containsPattern("spark.driver.extraJavaOptions=.*javacpp.maxBytes=\\d+m ");
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
    builder.environment().put("PYTHONPYCACHEPREFIX", directory.resolve("python").toString());
    builder.environment().put("SPARK_HOME", directory.resolve("spark").toString());
    builder.environment().put("GUILOMO_JAR", directory.resolve("none.jar").toString());
    Path err = directory.resolve("err");
    Process process = builder.redirectError(err.toFile()).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    return new Result(status, out, Files.readString(err));
  }
}
