package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.PlanExpertsTable;
import io.guilomo.spark.table.PlanModulesTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The packaged jar on a cluster of several processes, both started by the scripts that users start
 * them by.
 */
@Tag("cluster")
class TestStandaloneCluster {

  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  private static final Map<String, List<String>> WORDS =
      Map.of(
          "animal",
              List.of(
                  "ant", "badger", "cat", "cow", "crow", "deer", "dog", "duck", "eagle", "fox",
                  "frog", "goat", "hare", "hen", "horse", "lion", "mole", "mouse", "otter", "owl",
                  "pig", "rat", "seal", "sheep", "snail", "swan", "toad", "trout", "whale", "wolf"),
          "tool",
              List.of(
                  "anvil",
                  "awl",
                  "axe",
                  "broom",
                  "chisel",
                  "clamp",
                  "crowbar",
                  "drill",
                  "file",
                  "hammer",
                  "hoe",
                  "jack",
                  "knife",
                  "ladder",
                  "lathe",
                  "lever",
                  "mallet",
                  "needle",
                  "plane",
                  "pliers",
                  "pump",
                  "rake",
                  "saw",
                  "scissors",
                  "screwdriver",
                  "shovel",
                  "sickle",
                  "spade",
                  "trowel",
                  "wrench"));

  @TempDir private Path directory;
  private String master;

  private record Ended(int status, String out, String err) {}

  @BeforeEach
  void startCluster() throws Exception {
    Assumptions.assumeTrue(
        Files.isRegularFile(Path.of(System.getProperty("guilomo.jar", ""))), "no packaged jar");
    Assumptions.assumeTrue(
        Files.isRegularFile(
            Path.of(System.getProperty("guilomo.minilm", ""), "all-minilm-l6-v2.onnx")),
        "system property guilomo.minilm names no model");
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Ended started =
        script(
            "deploy/standalone-cluster",
            "start",
            "--workers",
            "2",
            "--memory",
            "1g",
            "--port",
            "" + port);
    master = started.out().strip();
    assertThat(master).as(started.err()).isEqualTo("spark://127.0.0.1:" + port);
  }

  @AfterEach
  void stopCluster() throws Exception {
    script("deploy/standalone-cluster", "stop");
  }

  @Test
  void twoWorkersLearnTheSamePlanTwiceAndTrainIt() throws Exception {
    Path train =
        Files.write(directory.resolve("train.jsonl"), sentences("I saw a %s yesterday.", 30));
    Path validation =
        Files.write(directory.resolve("validation.jsonl"), sentences("This %s is heavy.", 10));
    Ended doctor = run("doctor", "first", train, validation);
    assertThat(doctor.status()).as(doctor.out() + doctor.err()).isZero();
    assertThat(doctor.out())
        .contains("executors: 2 registered with the driver, 2 cores, 2 answered\n")
        .contains("product of 1024³, driver: ", "product of 1024³, executor 0 on ")
        .contains("product of 1024³, executor 1 on ", " (driver and 2 executors)\n")
        .contains("memory of guilomo.search: needs ", " per executor (", " on the driver (")
        .doesNotContain("cannot ");
    for (String runId : List.of("first", "second")) {
      Ended ended = run("allocate", runId, train, validation);
      assertThat(ended.status()).as(ended.err()).isZero();
      assertThat(ended.out()).contains("guilomo, seed 42: ").contains("validation loss ");
      assertThat(ended.err())
          .contains("search: round 4 of 4")
          .doesNotContain("WARN", "ERROR", "Exception");
    }
    Path runs = directory.resolve("output/runs");
    assertThat(runs.resolve("second/plan.json"))
        .hasSameTextualContentAs(runs.resolve("first/plan.json"));
    assertThat(rows(PlanModulesTable.INSTANCE, "second"))
        .isEqualTo(rows(PlanModulesTable.INSTANCE, "first"));
    assertThat(rows(PlanExpertsTable.INSTANCE, "second"))
        .isEqualTo(rows(PlanExpertsTable.INSTANCE, "first"))
        .isNotEmpty();
    assertThat(
            tables()
                .read(RunsTable.INSTANCE)
                .select("status", "workers")
                .distinct()
                .collectAsList())
        .extracting(Row::toString)
        .containsExactly("[SUCCEEDED,2]");

    Ended tuned = run("finetune", "first", train, validation);
    assertThat(tuned.status()).as(tuned.err()).isZero();
    assertThat(tuned.out()).startsWith("strategy guilomo: ").contains("adapter in ");
    Ended evaluated = run("evaluate", "first", train, validation);
    assertThat(evaluated.status()).as(evaluated.err()).isZero();
    assertThat(evaluated.out()).startsWith("accuracy ").contains(" 20 records");
    assertThat(rows(EvaluationsTable.INSTANCE, "first")).hasSize(4);
  }

  private Ended run(String job, String runId, Path train, Path validation) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of("deploy/guilomo", job, "--master", master, "--executor-memory", "1g"));
    for (String setting :
        List.of(
            "run.id=" + runId,
            "output.dir=" + directory.resolve("output"),
            "model.path=" + System.getProperty("guilomo.minilm"),
            "model.max-length=16",
            "data.task=classification",
            "data.train=" + train,
            "data.validation=" + validation,
            "lora-moe.target-modules=[query,value]",
            "lora-moe.max-experts=3",
            "lora-moe.max-rank=2",
            "search.epochs=1",
            "search.batch-size=8",
            "search.gsv-learning-rate=0.1",
            "finetune.steps=4",
            "finetune.batch-size=8",
            "evaluate.data=" + validation,
            "cluster.workers=2",
            "cluster.averaging-frequency=1")) {
      command.addAll(List.of("--set", setting));
    }
    return script(command.toArray(String[]::new));
  }

  private static List<String> sentences(String pattern, int words) {
    List<String> lines = new ArrayList<>();
    WORDS.forEach(
        (label, all) ->
            all.subList(0, words)
                .forEach(
                    word ->
                        lines.add(
                            "{\"sentence\":\"%s\",\"label\":\"%s\"}"
                                .formatted(pattern.formatted(word), label))));
    return lines;
  }

  private TableReader tables() {
    return new TableReader(SharedSparkSession.session(), directory.resolve("output").toString());
  }

  private List<String> rows(Table<?> table, String runId) {
    Dataset<Row> rows = tables().read(table, runId).drop(Table.RUN_DATE, Table.RUN_ID);
    return rows.collectAsList().stream().map(Row::toString).sorted().toList();
  }

  private Ended script(String... command) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(ROOT.toFile());
    builder.environment().put("GUILOMO_CLUSTER_DIR", directory.resolve("cluster").toString());
    builder.environment().put("GUILOMO_JAR", System.getProperty("guilomo.jar"));
    builder.environment().put("GUILOMO_OFF_HEAP", "2g");
    Path err = directory.resolve("err");
    Process process = builder.redirectError(err.toFile()).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ended(process.waitFor(), out, Files.readString(err));
  }
}
