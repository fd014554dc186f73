package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.GuilomoConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.SparkSubmit;
import org.apache.spark.deploy.SparkSubmitArguments;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import scala.Option;
import scala.collection.JavaConverters;
import scala.collection.immutable.Map$;

/** The examples' command lines, as Spark and the jobs read them. */
class TestDeployExamples {

  private static final Path EXAMPLES = Path.of("../deploy/examples").toAbsolutePath().normalize();

  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource({
    "local.sh, local[*], client, spark-jobs/target/guilomo-spark-jobs-",
    "standalone.sh, spark://master:7077, client, spark-jobs/target/guilomo-spark-jobs-",
    "yarn.sh, yarn, cluster, hdfs:///guilomo/guilomo-spark-jobs.jar",
    "kubernetes.sh, k8s://https://kubernetes.default.svc:443, cluster, local:///opt/guilomo/guilomo-spark-jobs.jar"
  })
  void submitsWhatTheJobsRead(String script, String master, String mode, String jar)
      throws Exception {
    SparkSubmitArguments submitted = submitted(script, "--set", "search.epochs=2");
    assertThat(submitted.master()).isEqualTo(master);
    assertThat(submitted.deployMode() == null ? "client" : submitted.deployMode()).isEqualTo(mode);
    assertThat(submitted.mainClass()).isEqualTo("io.guilomo.spark.cli.Main");
    assertThat(submitted.primaryResource()).contains(jar);
    Map<String, String> conf = JavaConverters.mapAsJavaMap(submitted.sparkProperties());
    assertThat(conf)
        .containsEntry("spark.dynamicAllocation.enabled", "false")
        .containsEntry("spark.speculation", "false");
    assertThat(conf.getOrDefault("spark.task.cpus", "1"))
        .isEqualTo(submitted.executorCores() == null ? "1" : submitted.executorCores());

    List<String> arguments = JavaConverters.seqAsJavaList(submitted.childArgs());
    assertThat(arguments.get(0)).isEqualTo("allocate");
    assertThat(arguments.get(1)).isEqualTo("--config");
    Path config = EXAMPLES.resolve("../../conf").resolve(Path.of(arguments.get(2)).getFileName());
    assertThat(config).exists();
    List<String> settings =
        arguments.subList(3, arguments.size()).stream()
            .filter(argument -> !argument.equals("--set"))
            .toList();
    assertThat(settings).contains("search.epochs=2");
    GuilomoConfig read = GuilomoConfig.load(config.toString(), settings);
    assertThat(read.search().epochs()).isEqualTo(2);
    String instances = submitted.numExecutors();
    if (instances != null) {
      assertThat(read.cluster().workers()).isEqualTo(Integer.parseInt(instances));
    }
  }

  /** All of a submission but starting it; for YARN and Kubernetes Spark needs jars of its own. */
  @ParameterizedTest
  @CsvSource({"local.sh, local[*]", "standalone.sh, spark://master:7077"})
  void isSubmittedAsSparkPreparesIt(String script, String master) throws Exception {
    SparkSubmitArguments submitted = submitted(script);
    var prepared = new SparkSubmit().prepareSubmitEnvironment(submitted, Option.empty());
    assertThat(prepared._4()).isEqualTo("io.guilomo.spark.cli.Main");
    assertThat(prepared._1()).isEqualTo(submitted.childArgs());
    assertThat(JavaConverters.seqAsJavaList(prepared._2()))
        .containsExactly(submitted.primaryResource());
    SparkConf conf = prepared._3();
    assertThat(conf.get("spark.master")).isEqualTo(master);
    assertThat(conf.get("spark.submit.deployMode")).isEqualTo("client");
    assertThat(conf.get("spark.executor.extraJavaOptions"))
        .contains("--add-modules=jdk.incubator.vector");
    if (submitted.totalExecutorCores() != null) {
      assertThat(conf.get("spark.cores.max")).isEqualTo(submitted.totalExecutorCores());
      assertThat(conf.get("spark.executor.cores")).isEqualTo(submitted.executorCores());
    }
  }

  /** The options in deploy/README.md, including those for GPUs. */
  @Test
  void theReadmesOwnLines() throws Exception {
    String readme = Files.readString(Path.of("../deploy/README.md"));
    String options = between(readme, "options=\"", "\nspark-submit ");
    String submit = between(readme, "\nspark-submit --class", "```");
    String gpus = between(readme, "\nspark-submit … ", "```");
    SparkSubmitArguments submitted =
        parsed(
            shell(
                "options=\"%s\nspark-submit %s --class%s"
                    .formatted(options, gpus.strip() + " \\\n", submit)));
    assertThat(submitted.master()).isEqualTo("yarn");
    assertThat(submitted.mainClass()).isEqualTo("io.guilomo.spark.cli.Main");
    assertThat(JavaConverters.seqAsJavaList(submitted.childArgs()))
        .containsExactly("allocate", "--config", "conf/llama2-7b.conf");
    Map<String, String> conf = JavaConverters.mapAsJavaMap(submitted.sparkProperties());
    assertThat(conf)
        .containsEntry("spark.executor.resource.gpu.amount", "1")
        .containsEntry("spark.executor.resource.gpu.discoveryScript", "./gpu-discovery")
        .containsEntry("spark.task.cpus", submitted.executorCores());
    String script = Files.readString(Path.of("../deploy/guilomo"));
    for (String process : List.of("driver", "executor")) {
      for (String option : conf.get("spark." + process + ".extraJavaOptions").split("\\s+")) {
        assertThat(script).contains(option.replaceAll("(maxBytes=).*", "$1"));
      }
    }
  }

  /**
   * The tests that rows name are there and mention the command, and other rows say it was not run.
   */
  @Test
  void theReadmesTenCommands() throws IOException {
    String readme = Files.readString(Path.of("../deploy/README.md"));
    String section = between(readme, "## From a jar to a scheduled DAG\n", "\n## ");
    List<String> rows = section.lines().filter(line -> line.matches("\\| \\d+ \\|.*")).toList();
    assertThat(rows).hasSize(10);
    Map<String, Path> tests = new HashMap<>();
    try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
      files.forEach(
          file -> tests.put(file.getFileName().toString().replaceAll("\\.java$", ""), file));
    }
    for (String row : rows) {
      String[] cells = row.split(" \\| ", -1);
      String last = cells[cells.length - 1];
      List<String> named =
          Pattern.compile("`(Test\\w+)`").matcher(last).results().map(m -> m.group(1)).toList();
      assertThat(!named.isEmpty() || last.contains("not run")).as(row).isTrue();
      for (String test : named) {
        assertThat(tests).as(row).containsKey(test);
        Matcher command = Pattern.compile("deploy/guilomo (\\w+)").matcher(row);
        if (command.find()) {
          assertThat(Files.readString(tests.get(test))).as(row).contains('"' + command.group(1));
        }
      }
    }
  }

  private static String between(String text, String from, String to) {
    int start = text.indexOf(from);
    assertThat(start).as(from).isNotNegative();
    return text.substring(start + from.length(), text.indexOf(to, start + from.length()));
  }

  @Test
  void anotherCommandOfAnotherJar() throws Exception {
    SparkSubmitArguments submitted =
        submitted("yarn.sh", Map.of("COMMAND", "finetune", "JAR", "s3a://jars/a.jar"));
    assertThat(submitted.childArgs().head()).isEqualTo("finetune");
    assertThat(submitted.primaryResource()).isEqualTo("s3a://jars/a.jar");
    assertThat(submitted.name()).isEqualTo("guilomo finetune llama2-7b");
  }

  /** The settings of the example. */
  static SparkConf defaults() {
    SparkConf conf = new SparkConf(false);
    JavaConverters.mapAsJavaMap(
            org.apache.spark.util.Utils.getPropertiesFromFile(
                EXAMPLES.resolve("spark-defaults.conf").toString()))
        .forEach(conf::set);
    return conf;
  }

  /** They are what the script adds, and fit in what a container gets. */
  @Test
  void settingsAreThoseOfTheScript() throws Exception {
    SparkConf conf = defaults();
    for (String process : List.of("driver", "executor")) {
      String options = conf.get("spark." + process + ".extraJavaOptions");
      String off = options.replaceAll(".*javacpp.maxBytes=(\\S+).*", "$1");
      String script = Files.readString(Path.of("../deploy/guilomo"));
      for (String option : options.split(" ")) {
        assertThat(script).contains(option.replaceAll("(maxBytes=).*", "$1"));
      }
      assertThat(conf.getSizeAsBytes("spark." + process + ".memoryOverhead"))
          .isGreaterThanOrEqualTo(conf.getSizeAsBytes("none", off));
    }
    for (String environment : List.of("executorEnv", "yarn.appMasterEnv", "kubernetes.driverEnv")) {
      assertThat(conf.get("spark." + environment + ".GLIBC_TUNABLES"))
          .isEqualTo("glibc.malloc.hugetlb=1");
    }
    assertThat(conf.getSizeAsBytes("spark.driver.maxResultSize")).isEqualTo(4L << 30);
  }

  @Test
  void thePodTemplateIsOneOfAnExecutor() throws IOException {
    Map<String, Object> pod =
        new Yaml(new SafeConstructor(new LoaderOptions()))
            .load(Files.readString(EXAMPLES.resolve("executor-pod.yaml")));
    assertThat(pod).containsEntry("apiVersion", "v1").containsEntry("kind", "Pod");
    assertThat(pod.get("spec"))
        .extracting("containers")
        .asList()
        .first()
        // Spark takes the first container for its own.
        .extracting("name")
        .isEqualTo("spark-kubernetes-executor");
  }

  @Test
  void theImageHasWhatTheExampleRuns() throws IOException {
    String container = Files.readString(EXAMPLES.resolve("Containerfile"));
    assertThat(container)
        .contains(
            "FROM docker.io/apache/spark:" + org.apache.spark.package$.MODULE$.SPARK_VERSION())
        .contains(" /opt/guilomo/guilomo-spark-jobs.jar\n")
        .contains("COPY deploy/gpu-discovery /opt/guilomo/gpu-discovery\n");
    assertThat(Path.of("../deploy/gpu-discovery")).isExecutable();
  }

  @Test
  void gpusAreFoundWhereNvidiaHasThem() throws Exception {
    stub("nvidia-smi", "printf '0\\n1\\n'");
    Map<String, String> path = Map.of("PATH", directory + ":" + System.getenv("PATH"));
    assertThat(run(path, "../deploy/gpu-discovery"))
        .isEqualTo("{\"name\":\"gpu\",\"addresses\":[\"0\",\"1\"]}\n");
    stub("nvidia-smi", "exit 9");
    assertThat(run(path, "../deploy/gpu-discovery"))
        .isEqualTo("error: Cannot find GPUs: nvidia-smi failed\n");
  }

  private SparkSubmitArguments submitted(String script, String... more) throws Exception {
    return submitted(script, Map.of(), more);
  }

  private SparkSubmitArguments submitted(
      String script, Map<String, String> environment, String... more) throws Exception {
    Files.createDirectories(directory.resolve("bin"));
    stub("bin/spark-submit", "printf '%s\\0' \"$@\"");
    Map<String, String> all = new HashMap<>(environment);
    all.put("SPARK_HOME", directory.toString());
    String[] command =
        Stream.concat(Stream.of(EXAMPLES.resolve(script).toString()), Stream.of(more))
            .toArray(String[]::new);
    return parsed(run(all, command).split("\0"));
  }

  /** What {@code spark-submit} gets from a line in a shell. */
  private String[] shell(String line) throws IOException {
    Files.createDirectories(directory.resolve("bin"));
    stub("bin/spark-submit", "printf '%s\\0' \"$@\"");
    String path = directory.resolve("bin") + ":" + System.getenv("PATH");
    return run(Map.of("PATH", path), "bash", "-c", line).split("\0");
  }

  private SparkSubmitArguments parsed(String... arguments) throws IOException {
    return new SparkSubmitArguments(
        JavaConverters.asScalaBuffer(List.of(arguments)).toSeq(),
        // Spark wants to know where YARN is.
        Map$.MODULE$.<String, String>empty().updated("HADOOP_CONF_DIR", directory.toString()));
  }

  private void stub(String name, String line) throws IOException {
    Path file = Files.writeString(directory.resolve(name), "#!/bin/sh\n" + line + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static String run(Map<String, String> environment, String... command) {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    try {
      return new String(builder.start().getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
