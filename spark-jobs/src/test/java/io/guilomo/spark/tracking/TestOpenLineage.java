package io.guilomo.spark.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.spark.TinyModel;
import io.guilomo.spark.cli.Main;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * OpenLineage's listener in a driver of its own, with the settings that {@code deploy/README.md}
 * gives: a search is told of with its data and its tables.
 */
class TestOpenLineage {

  /** Where the build copies it; this or the property names another place. */
  private static final Path JAR =
      Path.of(
          System.getProperty("guilomo.openlineage", "target/openlineage/openlineage-spark.jar"));

  private static final List<String> SETTINGS =
      List.of(
          "spark.extraListeners=io.openlineage.spark.agent.OpenLineageSparkListener",
          "spark.openlineage.namespace=guilomo",
          "spark.openlineage.jobName.appendDatasetName=false",
          "spark.openlineage.dataset.removePath.pattern=(.*)(?<remove>/_temporary-.*)");

  @TempDir private Path directory;

  @Test
  void aSearchIsToldOfWithItsDataAndTables() throws Exception {
    Assumptions.assumeTrue(Files.exists(JAR), () -> "skipped: " + JAR + " is not here");
    Path model =
        TinyModel.of(GoldenFiles.list("families", "bert_mlm").get(0), directory.resolve("model"));
    Path data = Files.createDirectory(directory.resolve("data"));
    List<String> records = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      records.add("{\"text\":\"w%d w%d\",\"label\":\"%s\"}".formatted(4 + i, 5 + i, i % 2));
    }
    Files.write(data.resolve("train.jsonl"), records);
    Path events = directory.resolve("events.ndjson");

    List<String> command = driver(events);
    for (String setting :
        List.of(
            "run.id=r",
            "output.dir=" + directory.resolve("out"),
            "model.path=" + model,
            "data.task=classification",
            "data.train=" + data.resolve("train.jsonl"),
            "data.validation-fraction=0.3",
            "lora-moe.max-experts=2",
            "lora-moe.max-rank=2",
            "search.epochs=1",
            "search.batch-size=8",
            "cluster.workers=1")) {
      command.addAll(List.of("--set", setting));
    }
    Path log = directory.resolve("log");
    Process driver =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    assertThat(driver.waitFor()).as(() -> text(log)).isZero();

    TreeSet<String> inputs = new TreeSet<>();
    TreeSet<String> outputs = new TreeSet<>();
    List<String> whole = new ArrayList<>();
    for (String line : Files.readAllLines(events)) {
      JsonNode event = new ObjectMapper().readTree(line);
      String job = event.at("/job/name").asText();
      assertThat(job).startsWith("guilomo_allocate").doesNotContain("_temporary");
      assertThat(event.at("/job/namespace").asText()).isEqualTo("guilomo");
      event.path("inputs").forEach(input -> inputs.add(input.path("name").asText()));
      event.path("outputs").forEach(output -> outputs.add(output.path("name").asText()));
      if (job.equals("guilomo_allocate")) {
        whole.add(event.path("eventType").asText());
      }
    }
    assertThat(whole).containsExactly("START", "COMPLETE");
    assertThat(inputs).contains(data.toString());
    assertThat(outputs)
        .containsExactlyInAnyOrder(
            tables("runs"),
            tables("metrics"),
            tables("gsv_history"),
            tables("plan_modules"),
            tables("plan_experts"));
  }

  private String tables(String name) {
    return directory.resolve("out/tables").resolve(name).toString();
  }

  private static String text(Path log) {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static List<String> driver(Path events) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    List<String> settings = new ArrayList<>(SETTINGS);
    settings.add("spark.openlineage.transport.type=file");
    settings.add("spark.openlineage.transport.location=" + events);
    settings.add("spark.master=local[2]");
    settings.add("spark.ui.enabled=false");
    settings.add("spark.driver.host=127.0.0.1");
    settings.add("spark.driver.bindAddress=127.0.0.1");
    settings.forEach(setting -> command.add("-D" + setting));
    command.addAll(List.of("-cp", classPath(), Main.class.getName(), "allocate"));
    return command;
  }

  /** Launched by Maven or by a launcher with a class loader of its own. */
  private static String classPath() {
    List<String> paths = new ArrayList<>();
    if (TestOpenLineage.class.getClassLoader() instanceof URLClassLoader loader) {
      for (URL url : loader.getURLs()) {
        paths.add(url.getPath());
      }
    }
    paths.add(System.getProperty("java.class.path"));
    paths.add(JAR.toAbsolutePath().toString());
    return String.join(File.pathSeparator, paths);
  }
}
