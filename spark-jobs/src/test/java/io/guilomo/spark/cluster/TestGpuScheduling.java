package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.spark.cluster.PackagedJobs.Ended;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Spark's scheduling of GPUs, with a script that claims that there are some. */
@Tag("slow")
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
            "spark.task.resource.gpu.amount=0.5",
            "--conf",
            "spark.eventLog.enabled=true",
            "--conf",
            "spark.eventLog.dir=" + Files.createDirectory(directory.resolve("events")).toUri());
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
      assertOneTaskAGpuInRounds();

      Ended refused = cluster.run("allocate", "none", "cluster.device=gpu");
      assertThat(refused.status()).isEqualTo(2);
      assertThat(refused.err())
          .containsPattern(
              "error: Cannot compute with cluster.device=gpu: (there is no NVIDIA driver|CUDA)");
    }
  }

  /**
   * The stages of rounds are those with a resource profile of their own; an executor has one GPU.
   */
  private void assertOneTaskAGpuInRounds() throws IOException {
    Map<Integer, Integer> profiles = new HashMap<>();
    List<JsonNode> tasks = new ArrayList<>();
    for (JsonNode event : events("guilomo allocate")) {
      switch (event.get("Event").asText()) {
        case "SparkListenerStageCompleted" ->
            profiles.put(
                event.get("Stage Info").get("Stage ID").asInt(),
                event.get("Stage Info").get("Resource Profile Id").asInt());
        case "SparkListenerTaskEnd" -> tasks.add(event);
        default -> {}
      }
    }
    Map<String, List<JsonNode>> rounds =
        tasks.stream()
            .filter(task -> profiles.get(task.get("Stage ID").asInt()) != 0)
            .map(task -> task.get("Task Info"))
            .sorted(Comparator.comparingLong(task -> task.get("Launch Time").asLong()))
            .collect(Collectors.groupingBy(task -> task.get("Executor ID").asText()));
    assertThat(rounds).hasSize(2);
    assertThat(rounds.values().stream().mapToInt(List::size).sum()).isGreaterThanOrEqualTo(8);
    rounds.forEach(
        (executor, own) -> {
          for (int i = 1; i < own.size(); i++) {
            assertThat(own.get(i).get("Launch Time").asLong())
                .as("task %d of executor %s", i, executor)
                .isGreaterThanOrEqualTo(own.get(i - 1).get("Finish Time").asLong());
          }
        });
  }

  /** What Spark has recorded of the application of a name that was the first to end. */
  private List<JsonNode> events(String application) throws IOException {
    ObjectMapper json = new ObjectMapper();
    try (Stream<Path> logs = Files.list(directory.resolve("events"))) {
      for (Path log : logs.sorted().toList()) {
        List<JsonNode> events = new ArrayList<>();
        for (String line : Files.readAllLines(log)) {
          events.add(json.readTree(line));
        }
        if (events.stream().anyMatch(e -> application.equals(e.path("App Name").asText()))) {
          return events;
        }
      }
    }
    throw new AssertionError("no events of " + application);
  }
}
