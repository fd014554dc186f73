package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How the script starts a driver with the Spark of the build, by a {@code java} that prints it. */
class TestDriverStart {

  private static final String SHARED = "-XX:SharedArchiveFile=";
  private static final String ARCHIVES = "-XX:ArchiveClassesAtExit=";

  @TempDir private Path temporary;
  private Path directory;
  private Path jar;
  private Path classes;

  @BeforeEach
  void copyScripts() throws IOException {
    directory = temporary.resolve("50% of b");
    Path scripts = Path.of("../deploy");
    for (String file :
        List.of(
            "guilomo",
            "common.bash",
            "compilation.options",
            "driver-start.bash",
            "quickstart/minilm-config.json")) {
      Path copy = directory.resolve("deploy").resolve(file);
      Files.createDirectories(copy.getParent());
      Files.copy(scripts.resolve(file), copy);
    }
    empty("deploy/spark/target/jars/spark-core_2.12.jar");
    for (String file : List.of("model/model.onnx", "model/tokenizer.json", "jars/none.jar")) {
      empty("cache/" + file);
    }
    jar = empty("guilomo.jar");
    classes = directory.resolve("guilomo.jsa");
    Path java = empty("java/bin/java");
    Files.writeString(
        java,
        """
        #!/bin/sh
        if [ "$1" = -version ]; then
          echo 'openjdk version "17.0.1"' >&2
          exit
        fi
        printf '%s\\n' "$@"
        for option; do
          case $option in
            -XX:ArchiveClassesAtExit=*) echo classes > "${option#*=}" ;;
          esac
        done
        exit 3
        """);
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Path empty(String name) throws IOException {
    Path file = directory.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, new byte[0]);
  }

  @ParameterizedTest
  @CsvSource({
    "local[2], false",
    "local, false",
    "'local-cluster[2,1,1024]', true",
    "spark://127.0.0.1:7077, true",
    "yarn, true"
  })
  void executorsElsewhereAreSentTheJar(String master, boolean sent) throws Exception {
    List<String> started = started("allocate", "--master", master);
    assertThat(started.get(started.indexOf("-cp") + 1)).endsWith("/jars/*:" + jar);
    assertThat(started.get(started.indexOf("allocate") - 1))
        .isEqualTo(sent ? jar.toString() : "spark-internal");
  }

  @Test
  void theCheckoutMayBeInADirectoryWhoseNameHasSpaces() throws Exception {
    assertThat(started("allocate", "--master", "local[2]"))
        .containsSubsequence(
            "-Dlog4j2.configurationFile=file:"
                + temporary
                + "/50%25%20of%20b/deploy/log4j2.properties",
            "-cp",
            "org.apache.spark.deploy.SparkSubmit");
  }

  @Test
  void whatIsDoneSoonIsNotCompiledInFull() throws Exception {
    assertThat(started("report")).contains("-XX:TieredStopAtLevel=1");
    assertThat(started("allocate"))
        .contains("-XX:Tier4InvocationThreshold=50000", "-XX:Tier4BackEdgeThreshold=200000")
        .contains("-XX:CompileCommand=CompileThresholdScaling,io.guilomo.kernel.*::*,0.02")
        .contains("-XX:CompileCommand=CompileThresholdScaling,jdk.incubator.vector.*::*,0.02")
        .doesNotContain("-XX:TieredStopAtLevel=1");
  }

  @Test
  void executorsCompileAsTheDriverDoes() throws Exception {
    List<String> started =
        started("allocate", "--conf", "spark.executor.extraJavaOptions=-XX:+UseParallelGC");
    // Of a setting that is there twice Spark takes the last.
    assertThat(started)
        .filteredOn(argument -> argument.startsWith("spark.executor.extraJavaOptions="))
        .last()
        .asString()
        .contains("-XX:Tier4InvocationThreshold=50000 ", "-Dorg.bytedeco.openblas.load=mkl ")
        .contains("-XX:CompileCommand=CompileThresholdScaling,io.guilomo.kernel.*::*,0.02 ")
        .endsWith(" -XX:+UseParallelGC");
  }

  @Test
  void theHeapBeginsWithWhatAStartTakes() throws Exception {
    assertThat(started("allocate"))
        .contains("-Xmx2g", "-XX:+UseSerialGC", "-Xms768m", "-XX:NewSize=256m");
    assertThat(started("allocate", "--driver-memory", "512m"))
        .contains("-Xmx512m")
        .doesNotContain("-XX:+UseSerialGC", "-Xms768m", "-XX:NewSize=256m");
    assertThat(started("allocate", "--driver-java-options", "-Xmx512m"))
        .containsSubsequence("-Xmx2g", "-Xmx512m")
        .doesNotContain("-Xms768m", "-XX:NewSize=256m");
  }

  @Test
  void theHeapLiesInLargePagesWhereTheKernelGivesThem() throws Exception {
    Path setting = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
    boolean given = Files.isReadable(setting) && !Files.readString(setting).contains("[never]");
    List<String> started = started("allocate");
    assertThat(started.contains("-XX:+UseTransparentHugePages")).as("%s", started).isEqualTo(given);
  }

  @Test
  void optionsOfTheUserComeLater() throws Exception {
    assertThat(started("report", "--driver-java-options", "-XX:TieredStopAtLevel=4 -XX:+UseG1GC"))
        .containsSubsequence("-XX:TieredStopAtLevel=1", "-XX:TieredStopAtLevel=4", "-XX:+UseG1GC")
        .doesNotContain("-XX:+UseSerialGC");
    assertThat(started("allocate", "--driver-memory", "8g")).doesNotContain("-XX:+UseSerialGC");
  }

  @Test
  void quickstartLeavesItsClassesToLaterCommands() throws Exception {
    assertThat(started("allocate")).noneMatch(option -> option.startsWith(ARCHIVES));
    assertThat(classes).doesNotExist();
    assertThat(started("quickstart")).anyMatch(option -> option.startsWith(ARCHIVES + classes));
    assertThat(classes).hasContent("classes");
    assertThat(started("quickstart"))
        .contains(SHARED + classes)
        .noneMatch(option -> option.startsWith(ARCHIVES));
    assertThat(started("allocate")).contains(SHARED + classes);
    assertThat(started("allocate", "--driver-java-options", "-XX:+FlightRecorder"))
        .noneMatch(option -> option.startsWith(SHARED));
    assertThat(started("allocate", "--conf", "spark.driver.extraJavaOptions=-javaagent:a.jar"))
        .noneMatch(option -> option.startsWith(SHARED));
  }

  @Test
  void soDoesACommandThatIsAskedTo() throws Exception {
    assertThat(started(Map.of("GUILOMO_ARCHIVE", "true"), "allocate"))
        .anyMatch(option -> option.startsWith(ARCHIVES + classes));
    assertThat(classes).hasContent("classes");
    assertThat(started("allocate")).contains(SHARED + classes);
  }

  @Test
  void classesOfAnOlderJarAreNotUsed() throws Exception {
    Files.writeString(classes, "old");
    Files.setLastModifiedTime(classes, FileTime.from(Instant.EPOCH));
    assertThat(started("allocate")).noneMatch(option -> option.startsWith(SHARED));
    started("quickstart");
    assertThat(classes).hasContent("classes");
  }

  @Test
  void whatTheDriverSaysAfterCtrlCIsShown() throws Exception {
    Path java = directory.resolve("java/bin/java");
    Files.writeString(
        java,
        Files.readString(java)
            .replace(
                "printf",
                """
                echo 'WARNING: Using incubator modules: jdk.incubator.vector' >&2
                trap '' INT
                kill -INT 0
                echo 'interrupted: the same command resumes' >&2
                printf"""));
    // A terminal interrupts the whole process group, which must not be that of the tests.
    assertThat(
            started(
                Map.of(),
                List.of("setsid", "--wait", "env", "--default-signal=INT", "deploy/guilomo"),
                "allocate"))
        .contains("interrupted: the same command resumes")
        .noneMatch(line -> line.startsWith("WARNING"));
  }

  /** The arguments of {@code java}, whose status the script must end with. */
  private List<String> started(String... arguments) throws Exception {
    return started(Map.of(), arguments);
  }

  private List<String> started(Map<String, String> environment, String... arguments)
      throws Exception {
    return started(environment, List.of("deploy/guilomo"), arguments);
  }

  private List<String> started(
      Map<String, String> environment, List<String> script, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(script);
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().keySet().removeAll(List.of("SPARK_HOME", "SPARK_CONF_DIR"));
    builder.environment().put("JAVA_HOME", directory.resolve("java").toString());
    builder.environment().put("GUILOMO_JAR", jar.toString());
    builder.environment().putAll(environment);
    builder.environment().put("GUILOMO_CACHE", directory.resolve("cache").toString());
    Process process = builder.redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isEqualTo(3);
    return out.lines().toList();
  }
}
