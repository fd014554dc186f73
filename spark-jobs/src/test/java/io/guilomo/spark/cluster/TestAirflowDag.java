package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.cluster.PackagedJobs.Ended;
import io.guilomo.spark.cluster.PackagedJobs.Running;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The DAG's own tests, and what its command lines do. With {@code -Dguilomo.airflow=PYTHON}, that
 * Python runs them, and Airflow as well if it has it.
 */
class TestAirflowDag {

  private static final String SCRIPT = "../deploy/airflow/test_guilomo_dag.py";
  private static final String DAG_RUN = "scheduled__2026-01-05T00:00:00+00:00";
  private static final String RUN = "nightly-scheduled__2026-01-05T00-00-00-00-00-af38e29b1d";

  @TempDir private Path directory;

  private static String python;

  @BeforeAll
  static void findPython() throws InterruptedException {
    String given = System.getProperty("guilomo.airflow");
    for (String candidate :
        given == null ? List.of("python3", "/usr/bin/python3") : List.of(given)) {
      try {
        Process check = new ProcessBuilder(candidate, "-c", "import jinja2").start();
        check.getErrorStream().readAllBytes();
        if (check.waitFor() == 0) {
          python = candidate;
          return;
        }
      } catch (IOException e) {
        // There is no such Python.
      }
    }
    assumeTrue(false, "skipped: no python3 has Jinja2, which renders the templates of a DAG");
  }

  @Test
  void passesItsTests() throws Exception {
    assertThat(python(SCRIPT)).contains("Ran 11 tests", "OK").doesNotContain("FAILED");
  }

  @Test
  @Tag("slow")
  void itsCommandLinesRunAndARetryDoublesNothing() throws Exception {
    try (StandaloneCluster cluster = new StandaloneCluster(directory)) {
      Path config = directory.resolve("model.conf");
      Files.write(
          config,
          Stream.concat(
                  cluster.settings().stream(),
                  Stream.of("finetune.steps=12", "checkpoint.every-rounds=1"))
              .map(setting -> "guilomo." + setting)
              .toList());
      Path published = directory.resolve("published");
      List<List<String>> tasks = commands(config, cluster.output(), published);
      assertThat(tasks)
          .extracting(task -> task.get(0))
          .containsExactly("allocate", "finetune", "evaluate", "export");
      Ended allocated = cluster.command("allocate", tasks.get(0)).end();
      assertThat(allocated.status()).as(allocated.err()).isZero();

      // The first try of a task dies, and Airflow runs the same command line again.
      Running dying = cluster.command("finetune", tasks.get(1));
      dying.await(
          cluster.output().resolve("runs/" + RUN + "/checkpoints/finetune/seed-42/round-00000002"));
      dying.process().destroyForcibly().waitFor();
      Ended retried = cluster.command("finetune", tasks.get(1)).end();
      assertThat(retried.status()).as(retried.err()).isZero();
      assertThat(retried.err()).containsPattern("resuming after round \\d+ of 12");
      assertNoRowTwice(cluster);
      for (List<String> task : tasks.subList(2, 4)) {
        Ended ended = cluster.command(task.get(0), task).end();
        assertThat(ended.status()).as(ended.err()).isZero();
      }
      assertThat(published.resolve(RUN)).isDirectoryContaining("glob:**manifest.json");
      long measured = rows(cluster, MetricsTable.INSTANCE).size();

      // As Airflow clears or retries: allocate begins anew, publish writes over what is there.
      for (List<String> task : List.of(tasks.get(0), tasks.get(3))) {
        Ended ended = cluster.command(task.get(0), task).end();
        assertThat(ended.status()).as(ended.err()).isZero();
      }
      assertThat(rows(cluster, MetricsTable.INSTANCE)).hasSize((int) measured);
      assertThat(rows(cluster, RunsTable.INSTANCE))
          .extracting(row -> row.getAs("job") + " " + row.getAs("status"))
          .containsExactlyInAnyOrder(
              "allocate SUCCEEDED", "finetune SUCCEEDED", "evaluate SUCCEEDED");
    }
  }

  private static void assertNoRowTwice(StandaloneCluster cluster) {
    var measurements =
        new TableReader(SharedSparkSession.session(), cluster.output().toString())
            .read(MetricsTable.INSTANCE, RUN)
            .filter("job = 'finetune'")
            .drop("value", "at");
    assertThat(measurements.count())
        .isEqualTo(measurements.distinct().count())
        .isGreaterThanOrEqualTo(12);
  }

  private static List<Row> rows(StandaloneCluster cluster, Table<?> table) {
    return new TableReader(SharedSparkSession.session(), cluster.output().toString())
        .read(table, RUN)
        .collectAsList();
  }

  private List<List<String>> commands(Path config, Path output, Path published) throws Exception {
    String given =
        new ObjectMapper()
            .createObjectNode()
            .put("run_id", DAG_RUN)
            .set(
                "params",
                new ObjectMapper()
                    .createObjectNode()
                    .put("name", "nightly")
                    .put("executors", 2)
                    .put("config", config.toString())
                    .put("output", output.toString())
                    .put("publish", published.toString()))
            .toString();
    List<List<String>> commands = new ArrayList<>();
    for (JsonNode task : new ObjectMapper().readTree(python(SCRIPT, "--render", given))) {
      List<String> arguments = new ArrayList<>();
      task.get("application_args").forEach(argument -> arguments.add(argument.asText()));
      commands.add(arguments);
    }
    return commands;
  }

  private String python(String... arguments) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(Stream.concat(Stream.of(python), Stream.of(arguments)).toList());
    builder.environment().put("PYTHONPYCACHEPREFIX", directory.resolve("python").toString());
    return new String(
        builder.redirectErrorStream(true).start().getInputStream().readAllBytes(),
        StandardCharsets.UTF_8);
  }
}
