package io.guilomo.spark.cluster;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.golden.GoldenFiles;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.cluster.PackagedJobs.Ended;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.PlanExpertsTable;
import io.guilomo.spark.table.PlanModulesTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jobs on a cluster of several processes. */
@Tag("slow")
class TestStandaloneCluster {

  private static final String DECODER = "stories260K-hf";

  @TempDir private static Path directory;
  private static StandaloneCluster cluster;

  @BeforeAll
  static void startCluster() throws Exception {
    cluster = new StandaloneCluster(directory);
  }

  @AfterAll
  static void stopCluster() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void twoWorkersLearnAPlanAndTrainIt() throws Exception {
    Ended doctor = cluster.run("doctor", "encoder");
    assertThat(doctor.status()).as(doctor.out() + doctor.err()).isZero();
    assertThat(doctor.out())
        .contains("executors: 2 registered with the driver, 2 cores, 2 answered\n")
        .contains("product of 1024³, driver: ", "product of 1024³, executor 0 on ")
        .contains("product of 1024³, executor 1 on ", " (driver and 2 executors)\n")
        .contains("memory of guilomo.search: needs ", " per executor (", " on the driver (")
        .doesNotContain("cannot ");
    Ended allocated = cluster.run("allocate", "encoder");
    assertThat(allocated.status()).as(allocated.err()).isZero();
    assertThat(allocated.out()).contains("guilomo, seed 42: ").contains("validation loss ");
    assertThat(allocated.err())
        .contains("search: round 4 of 4")
        .doesNotContain("WARN", "ERROR", "Exception");
    assertThat(rows(PlanModulesTable.INSTANCE, "encoder")).hasSize(2 * 6);
    assertThat(rows(PlanExpertsTable.INSTANCE, "encoder")).isNotEmpty();
    assertThat(
            tables()
                .read(RunsTable.INSTANCE, "encoder")
                .select("status", "workers")
                .collectAsList())
        .extracting(Row::toString)
        .containsExactly("[SUCCEEDED,2]");

    Ended tuned = cluster.run("finetune", "encoder");
    assertThat(tuned.status()).as(tuned.err()).isZero();
    assertThat(tuned.out()).startsWith("strategy guilomo: ").contains("adapter in ");
    Ended evaluated = cluster.run("evaluate", "encoder");
    assertThat(evaluated.status()).as(evaluated.err()).isZero();
    assertThat(evaluated.out()).startsWith("accuracy ").contains(" 20 records");
    assertThat(rows(EvaluationsTable.INSTANCE, "encoder")).hasSize(4);
  }

  @Test
  void twoWorkersLearnThePlanOfADecoderThatTwoThreadsLearn() throws Exception {
    Path data = GoldenFiles.data().resolve("scienceqa_mola_sample");
    // Relative to where the script runs, which executors do not.
    Path model =
        Path.of("..").toRealPath().relativize(GoldenFiles.models().resolve(DECODER).toRealPath());
    String[] settings = {
      "model.max-length=48",
      "data.task=multiple-choice",
      "data.train=" + head(data.resolve("train.jsonl"), 40),
      "data.validation=" + head(data.resolve("validation.jsonl"), 12),
      // The questions are longer than what is read of them here.
      "data.train-on-inputs=true",
      "lora-moe.target-modules=[q_proj,down_proj]",
      "search.batch-size=4",
      "search.warmup-steps=1"
    };
    Ended ended =
        cluster.run(
            "allocate",
            "processes",
            Stream.concat(Stream.of("model.path=" + model), Stream.of(settings))
                .toArray(String[]::new));
    assertThat(ended.status()).as(ended.err()).isZero();
    assertThat(ended.err()).contains("search: round 5 of 5");
    cluster.allocateInThreads(
        "threads",
        Stream.concat(
                Stream.of("model.path=" + GoldenFiles.models().resolve(DECODER)),
                Stream.of(settings))
            .toArray(String[]::new));

    Path runs = cluster.output().resolve("runs");
    assertThat(runs.resolve("processes/plan.json"))
        .hasSameTextualContentAs(runs.resolve("threads/plan.json"));
    for (Table<?> table :
        List.of(PlanModulesTable.INSTANCE, PlanExpertsTable.INSTANCE, GsvHistoryTable.INSTANCE)) {
      assertThat(rows(table, "processes"))
          .as(table.name())
          .isEqualTo(rows(table, "threads"))
          .isNotEmpty();
    }
    assertThat(rows(PlanModulesTable.INSTANCE, "processes")).hasSize(2 * 5);
    for (String split : List.of("train", "validation")) {
      List<Double> losses = losses("processes", split);
      assertThat(losses).as(split).isEqualTo(losses("threads", split)).hasSizeGreaterThan(1);
      assertThat(losses.get(losses.size() - 1)).as(split).isLessThan(losses.get(0));
    }
  }

  /** Of both workers, in the order of steps. */
  private List<Double> losses(String runId, String split) {
    return tables()
        .read(MetricsTable.INSTANCE, runId)
        .filter("name = 'loss' AND worker = -1")
        .filter(col("split").equalTo(split))
        .orderBy("round", "step")
        .select("value")
        .collectAsList()
        .stream()
        .map(row -> row.getDouble(0))
        .toList();
  }

  private Path head(Path file, int lines) throws IOException {
    try (Stream<String> all = Files.lines(file)) {
      return Files.write(directory.resolve(file.getFileName()), all.limit(lines).toList());
    }
  }

  private TableReader tables() {
    return new TableReader(SharedSparkSession.session(), cluster.output().toString());
  }

  private List<String> rows(Table<?> table, String runId) {
    Dataset<Row> rows = tables().read(table, runId).drop(Table.RUN_DATE, Table.RUN_ID);
    return rows.collectAsList().stream().map(Row::toString).sorted().toList();
  }
}
