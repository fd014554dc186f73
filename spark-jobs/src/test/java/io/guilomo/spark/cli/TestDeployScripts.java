package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.guilomo.family.ModelReader;
import io.guilomo.family.bert.BertConfig;
import io.guilomo.family.llama.Decoder;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.Backbone;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the scripts say before they start anything. */
class TestDeployScripts {

  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  private static final Path MEMORY = Path.of("/proc/meminfo");

  @TempDir private Path directory;

  private record Result(int status, String out, String err) {}

  @ParameterizedTest
  @ValueSource(
      strings = {
        "deploy/guilomo",
        "deploy/standalone-cluster",
        "deploy/common.bash",
        "deploy/driver-start.bash",
        "deploy/evidence",
        "deploy/gpu/check",
        "deploy/gpu/pack",
        "deploy/gpu/unpack",
        "deploy/sizing/llama-7b",
        "notebooks/run",
        ".ci/run"
      })
  void areBash(String script) throws Exception {
    assertThat(run("bash", "-n", script)).isEqualTo(new Result(0, "", ""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "deploy/guilomo",
        "deploy/standalone-cluster",
        "deploy/evidence",
        "deploy/gpu/pack",
        "deploy/sizing/llama-7b"
      })
  void explainThemselves(String script) throws Exception {
    Result help = run(script, "--help");
    assertThat(help.status()).isZero();
    assertThat(help.out()).startsWith("Usage: " + script);
    assertThat(help.err()).isEmpty();
    assertThat(run(script)).isEqualTo(new Result(2, "", help.out()));
  }

  @Test
  void theCheckExplainsItsStages() throws Exception {
    Result help = run("deploy/gpu/check", "--help");
    assertThat(help.status()).isZero();
    assertThat(help.out())
        .startsWith("Usage: deploy/gpu/check")
        .contains("  probe ", "  kernels ", "  network ", "  bench ", "  sanitizer ");
    assertThat(run("deploy/gpu/check", "--stage", "speed"))
        .isEqualTo(
            new Result(
                2,
                "",
                "error: Cannot check speed: know probe kernels network repeat bench 7b sanitizer\n"));
  }

  @Test
  void randomCheckpointsLoad() throws Exception {
    Path model = directory.resolve("model");
    assertThat(
            run(
                "java",
                "deploy/sizing/RandomLlama.java",
                model.toString(),
                "64",
                "128",
                "2",
                "4",
                "512"))
        .isEqualTo(new Result(0, "", ""));
    Backbone backbone = ModelReader.load(model.toString(), new Configuration());
    // Two layers of four square projections, three of the MLP and two norms.
    assertThat(backbone.config().parameters())
        .isEqualTo(2 * 512 * 64 + 64 + 2 * (4 * 64 * 64 + 3 * 64 * 128 + 2 * 64));
    assertThat(Files.readAllLines(model.resolve("train.jsonl"))).hasSize(4);
  }

  @Test
  void helpNamesEveryCommand() throws Exception {
    assertThat(run("deploy/guilomo", "--help").out())
        .contains(
            "  quickstart ", "  allocate ", "  export ", "  report ", "  doctor ", "  bench ");
  }

  @Test
  void pythonIsSound() throws Exception {
    String loader = "deploy/python/guilomo/adapters.py";
    String text = Files.readString(ROOT.resolve(loader));
    for (ModulePaths paths : List.of(Decoder.PATHS, BertConfig.PATHS)) {
      paths.modules().forEach((n, path) -> assertThat(text).contains('"' + n + "\": \"" + path));
    }
    assumeTrue(hasPython(), "skipped: there is no python3");
    String lazy = "deploy/python/guilomo/__init__.py";
    String command = "deploy/python/guilomo/__main__.py";
    String shim = "deploy/python/load_adapter.py";
    assertThat(run("python3", "-m", "py_compile", loader, lazy, command, shim))
        .isEqualTo(new Result(0, "", ""));
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
  void memoryIsAskedForInHugePages() throws Exception {
    String setting = "spark.executorEnv.GLIBC_TUNABLES=";
    String own = setting + "glibc.malloc.hugetlb=0";
    assertThat(submitted("--conf", own))
        .containsSubsequence(
            setting + "glibc.malloc.hugetlb=1\n",
            "spark.yarn.appMasterEnv.GLIBC_TUNABLES=glibc.malloc.hugetlb=1\n",
            "spark.kubernetes.driverEnv.GLIBC_TUNABLES=glibc.malloc.hugetlb=1\n",
            // Of two, spark-submit takes the last.
            own + "\n",
            "environment glibc.malloc.hugetlb=1\n");
  }

  @ParameterizedTest
  @CsvSource({
    "60g, 61440m",
    "60G, 61440m",
    "60GB, 61440m",
    "61440, 61440m",
    "512mb, 512m",
    "1048576k, 1024m",
    "2147483648b, 2048m",
    "1t, 1048576m",
    "0060g, 61440m"
  })
  void executorsMayUseTheirOverheadOutsideTheHeap(String overhead, String limit) throws Exception {
    String setting = "spark.executor.memoryOverhead=" + overhead;
    assertThat(submitted("--conf", setting))
        .contains(setting + "\n")
        .containsPattern("spark.executor.extraJavaOptions=.*javacpp.maxBytes=" + limit + " ")
        .containsPattern("spark.driver.extraJavaOptions=.*javacpp.maxBytes=\\d+m ")
        .doesNotContainPattern("spark.driver.extraJavaOptions=.*javacpp.maxBytes=" + limit + " ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "spark.executor.memoryOverhead 7g",
        "  spark.executor.memoryOverhead = 7168  ",
        "spark.executor.memoryOverhead\t:\t7168m",
        "spark.executor.memoryOverhead=1g\nspark.executor.memoryOverhead=7g",
        "spark.executor.memoryOverhead 7g\n#spark.executor.memoryOverhead 8g\n"
            + "spark.executor.memoryOverheadFactor 0.5"
      })
  void aPropertiesFileTellsTheirOverheadToo(String text) throws Exception {
    Path file = Files.writeString(directory.resolve("own.conf"), text);
    String limit = "spark.executor.extraJavaOptions=.*javacpp.maxBytes=%s ";
    assertThat(submitted("--properties-file", file.toString()))
        .contains("--properties-file\n" + file + "\n")
        .containsPattern(limit.formatted("7168m"));
    assertThat(
            submitted(
                "--properties-file", file.toString(), "--conf", "spark.executor.memoryOverhead=9g"))
        .containsPattern(limit.formatted("9216m"));
    Files.createDirectories(directory.resolve("spark/conf"));
    Files.copy(file, directory.resolve("spark/conf/spark-defaults.conf"));
    assertThat(submitted()).containsPattern(limit.formatted("7168m"));
  }

  @Test
  void aPropertiesFileTellsMasterHeapAndJavaOptions() throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("own.conf"),
            """
            spark.master yarn
            spark.driver.memory 4096
            spark.driver.extraJavaOptions -Da=b -Dorg.bytedeco.javacpp.maxBytes=1g
            """);
    assertThat(submitted("--properties-file", file.toString()))
        .contains("--master\nyarn\n", "--driver-memory\n4096m\n")
        // Of two equal options a JVM takes the last.
        .containsPattern(
            "spark.driver.extraJavaOptions=-Da=b -Dorg.bytedeco.javacpp.maxBytes=1g .*maxBytes=");
    assertThat(
            submitted(
                "--properties-file",
                file.toString(),
                "--master",
                "local[2]",
                "--driver-memory",
                "3g"))
        .contains("--master\nlocal[2]\n", "--driver-memory\n3g\n");
    assertThat(submitted()).contains("--master\nlocal[*]\n", "--driver-memory\n2g\n");
  }

  @ParameterizedTest
  @CsvSource({
    "--deploy-mode cluster --conf spark.driver.memoryOverhead=20g, true",
    "--conf spark.driver.memoryOverhead=20480 --conf spark.submit.deployMode=cluster, true",
    "--properties-file FILE, true",
    "--properties-file FILE --deploy-mode client, false",
    "--properties-file FILE --conf spark.submit.deployMode=client, false",
    "--deploy-mode client --conf spark.driver.memoryOverhead=20g, false",
    "--conf spark.driver.memoryOverhead=20g, false",
    "--deploy-mode cluster --conf spark.submit.deployMode=client --conf spark.driver.memoryOverhead=20g, true",
    "--deploy-mode cluster --conf spark.executor.memoryOverhead=20g, false"
  })
  void aDriverInTheClusterMayUseItsOverheadToo(String options, boolean follows) throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("own.conf"),
            "spark.submit.deployMode cluster\nspark.driver.memoryOverhead 20g\n");
    String submitted = submitted(options.replace("FILE", file.toString()).split(" "));
    String driver = between(submitted, "spark.driver.extraJavaOptions=", "\n");
    String executor = between(submitted, "spark.executor.extraJavaOptions=", "\n");
    assertThat(driver.contains("javacpp.maxBytes=20480m ")).isEqualTo(follows);
    assertThat(executor.contains("javacpp.maxBytes=20480m "))
        .isEqualTo(options.contains("executor"));
    // Whatever it is, it is one limit, and no other option goes missing.
    assertThat(driver.replaceAll("maxBytes=\\d+m ", "").replaceAll(" +-Dlog4j2.*", ""))
        .isEqualTo(executor.replaceAll("maxBytes=\\d+m ", ""));
  }

  private static String between(String text, String from, String to) {
    int start = text.indexOf(from);
    assertThat(start).as(from).isNotNegative();
    return text.substring(start + from.length(), text.indexOf(to, start + from.length()));
  }

  @ParameterizedTest
  @CsvSource({
    "yarn, cluster, true",
    "k8s://https://cluster:443, cluster, false",
    "yarn, client, false",
    "spark://elsewhere:7077, cluster, false"
  })
  void aDriverInTheClusterIsSentTheConfiguration(String master, String mode, boolean sent)
      throws Exception {
    Path file = Files.writeString(directory.resolve("own.conf"), "guilomo.run.id = a\n");
    String[] options = {"--master", master, "--deploy-mode", mode, "--files", "words.txt"};
    String here = submitted(with(options, "--config", file.toString()));
    assertThat(here)
        .contains("--files\nwords.txt" + (sent ? "," + file : "") + "\n")
        .contains("--config\n" + (sent ? "own.conf" : file) + "\n");
    assertThat(submitted(with(options, "--config=" + file)))
        .contains("--config=" + (sent ? "own.conf" : file) + "\n");
    assertThat(submitted(with(options, "--config", "s3a://confs/own.conf")))
        .contains("--files\nwords.txt\n", "--config\ns3a://confs/own.conf\n");
    // Spark would take the option for all files.
    assertThat(
            submitted(
                "--master",
                master,
                "--deploy-mode",
                mode,
                "--conf",
                "spark.files=a",
                "--config=" + file))
        .contains("--files\na" + (sent ? "," + file : "") + "\n");
    // Its file of log levels stays here.
    assertThat(here.contains("-Dlog4j2")).isEqualTo(mode.equals("client"));
  }

  private static String[] with(String[] options, String... more) {
    return Stream.concat(Stream.of(options), Stream.of(more)).toArray(String[]::new);
  }

  @Test
  void whatSparkWillRefuseIsLeftToSpark() throws Exception {
    assertThat(submitted("--conf", "spark.executor.memoryOverhead=much"))
        .contains("spark.executor.memoryOverhead=much\n")
        .doesNotContain("maxBytes=much");
  }

  @ParameterizedTest
  @CsvSource({
    "local[2], 1",
    "yarn, 1",
    "spark://elsewhere:7077, 1",
    "spark://127.0.0.1:17077, 3",
    "spark://localhost:7077, 3",
    "'local-cluster[4,1,1024]', 5"
  })
  void processesThatShareTheMachineShareItsMemory(String master, int processes) throws Exception {
    assertThat(limits(submitted("--master", master))).containsExactly(share(processes));
  }

  @Test
  void theWorkersThatRunHereAreCounted() throws Exception {
    Path cluster = Files.createDirectories(directory.resolve("cluster"));
    for (int worker = 1; worker <= 4; worker++) {
      Files.writeString(cluster.resolve("worker-" + worker + ".pid"), "1");
    }
    assertThat(limits(submitted("--master", "spark://127.0.0.1:17077"))).containsExactly(share(5));
  }

  /** What the JVMs may use, in MiB. */
  private static List<Long> limits(String submitted) {
    return Pattern.compile("javacpp.maxBytes=(\\d+)m ")
        .matcher(submitted)
        .results()
        .map(match -> Long.valueOf(match.group(1)))
        .distinct()
        .toList();
  }

  /** Six tenths of the machine, divided. */
  private static long share(int processes) throws IOException {
    assumeTrue(Files.isReadable(MEMORY), "skipped: there is no " + MEMORY);
    Matcher total = Pattern.compile("MemTotal:\\s*(\\d+) kB").matcher(Files.readString(MEMORY));
    assertThat(total.find()).isTrue();
    return (long) (Long.parseLong(total.group(1)) / 1024.0 * 0.6 / processes);
  }

  /** What spark-submit is given. */
  private String submitted(String... options) throws Exception {
    Path submit = Files.createDirectories(directory.resolve("spark/bin")).resolve("spark-submit");
    Files.createDirectories(directory.resolve("spark/jars"));
    Files.writeString(submit, "#!/bin/sh\nprintf '%s\\n' \"$@\" \"environment $GLIBC_TUNABLES\"\n");
    Files.setPosixFilePermissions(submit, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.write(directory.resolve("none.jar"), new byte[0]);
    String[] command =
        Stream.concat(Stream.of("deploy/guilomo", "allocate"), Stream.of(options))
            .toArray(String[]::new);
    return run(command).out();
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
    builder.environment().keySet().removeAll(List.of("GUILOMO_OFF_HEAP", "SPARK_CONF_DIR"));
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
