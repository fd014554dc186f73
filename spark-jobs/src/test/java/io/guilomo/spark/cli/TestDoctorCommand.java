package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.preflight.DoctorJob;
import io.guilomo.spark.round.RandomLlama;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestDoctorCommand {

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir private Path directory;

  @BeforeEach
  void files() throws IOException {
    RandomLlama.write(Files.createDirectory(directory.resolve("model")));
    Files.writeString(directory.resolve("train.jsonl"), "{}\n".repeat(1000));
  }

  @Test
  void everythingIsInOrder() {
    assertThat(doctor()).isZero();
    assertThat(lines())
        .contains(
            "ok       Spark: " + SharedSparkSession.session().version() + ", master local[2]",
            "ok       executors: 1 registered with the driver, 2 cores, 1 answered: the driver itself",
            "ok       guilomo.model.path: "
                + directory.resolve("model")
                + " has all tensors, 888 parameters",
            "ok       guilomo.data.train: "
                + directory.resolve("train.jsonl")
                + " opened, 1 file of 3 kB",
            "ok       guilomo.output.dir: " + directory.resolve("new/out") + " can be written")
        .anyMatch(line -> line.matches("ok       Java: 17\\..*"))
        .anyMatch(line -> line.matches("ok       kernels: .*Kernels"))
        .anyMatch(line -> line.matches("ok       matrix products: .*"))
        .anyMatch(line -> line.matches("\\w+ +product of 1024³, driver: \\d+ GFLOP/s by .*"))
        .anyMatch(
            line ->
                line.matches(
                    "ok       memory of guilomo.search: needs \\d+ MB in one process of 2 tasks \\(.*\\) and has .*"))
        .anyMatch(line -> line.startsWith("ok       memory of guilomo.finetune: needs "))
        .anyMatch(line -> line.startsWith("ok       averaging of guilomo.search: a round moves "))
        .noneMatch(line -> line.startsWith("cannot"));
    assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    assertThat(directory).isDirectoryNotContaining("glob:**new");
  }

  @Test
  void aTrackingServerThatDoesNotAnswerIsNoReasonNotToRun() {
    assertThat(doctor("tracking.mlflow.uri=http://127.0.0.1:1")).isZero();
    assertThat(lines())
        .anyMatch(
            line -> line.startsWith("warning  guilomo.tracking.mlflow.uri: http://127.0.0.1:1: "));
  }

  @Test
  void whatInt8Loses() {
    assertThat(doctor("model.precision=int8")).isZero();
    assertThat(lines())
        .anyMatch(
            line ->
                line.matches(
                    "ok       guilomo.model.precision: int8 weights are off by 0\\.\\d\\d %"
                        + " \\(model\\.embed_tokens 0\\.\\d\\d %, self_attn\\.q_proj 0\\..*\\)"))
        .anyMatch(
            line ->
                line.matches(
                    "\\w+ +product of 1024³, driver: .* GFLOP/s by .*; with int8 weights \\d+"));
  }

  @Test
  void whatCannotFitEndsWithTwo() {
    assertThat(doctor("lora-moe.max-rank=1000000")).isEqualTo(2);
    assertThat(lines())
        .anyMatch(
            line ->
                line.matches(
                    "cannot   memory of guilomo.search: Cannot fit guilomo.search: needs .* and has .*"))
        // Nothing that a round moves is too large for the driver, which gets it by parts.
        .anyMatch(
            line -> line.startsWith("ok       averaging of guilomo.finetune: a round moves "));
    assertThat(err.toString(StandardCharsets.UTF_8))
        .matches(
            "error: Cannot run this configuration here: 2 of \\d+ checks failed, the first is memory of"
                + " guilomo.search\n");
  }

  @Test
  void batchesThatMayNotFitAreNoReasonNotToTry() {
    assertThat(doctor("search.batch-size=10000000")).isZero();
    assertThat(lines())
        .anyMatch(
            line ->
                line.matches(
                    "warning  memory of guilomo.search: if a batch has sequences of guilomo.model.max-length"
                        + " alone: Cannot fit guilomo.search: needs .* for 10000000 × 16 tokens, .*"))
        .anyMatch(line -> line.startsWith("ok       memory of guilomo.finetune: "));
  }

  @Test
  void filesThatAreNotThereOrCannotBeUsed() throws IOException {
    Path config = directory.resolve("model/config.json");
    Files.writeString(
        config, Files.readString(config).replace("\"vocab_size\":11", "\"vocab_size\":12"));
    Path none = directory.resolve("none.jsonl");
    Path file = Files.createFile(directory.resolve("file"));
    assertThat(doctor("data.train=" + none, "output.dir=" + file)).isEqualTo(2);
    assertThat(lines())
        .anyMatch(
            line ->
                line.startsWith("cannot   guilomo.model.path, driver: Cannot load ")
                    && line.endsWith(
                        ": tensor model.embed_tokens.weight has shape [11, 8], expected [12, 8]"))
        .contains(
            "cannot   guilomo.data.train, driver: Cannot read " + none + ": there is no such file")
        .anyMatch(
            line ->
                line.startsWith("cannot   guilomo.output.dir, driver: Cannot write into " + file)
                    && line.endsWith(" is a file"));
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("3 of ")
        .endsWith("the first is guilomo.model.path, driver\n");
  }

  @Test
  void aPoolingThatTheModelDoesNotHave() {
    assertThat(doctor("data.task=classification", "model.pooling=mean")).isEqualTo(2);
    assertThat(lines())
        .contains(
            "cannot   memory: Cannot pool the states of "
                + directory.resolve("model")
                + " by mean: expected auto or one of [last]");
  }

  @Test
  void settingsThatMoveWorkers() {
    var conf = SharedSparkSession.session().sparkContext().conf();
    conf.set("spark.speculation", "true");
    try {
      assertThat(doctor()).isEqualTo(2);
    } finally {
      conf.remove("spark.speculation");
    }
    assertThat(lines().get(0))
        .startsWith("cannot   scheduling: Cannot train with spark.speculation=true: ");
  }

  @Test
  void aSerializerWithWhichNoExecutorCanAnswer() {
    var conf = SharedSparkSession.session().sparkContext().conf();
    conf.set("spark.serializer", "org.apache.spark.serializer.KryoSerializer");
    try {
      assertThat(doctor()).isEqualTo(2);
    } finally {
      conf.remove("spark.serializer");
    }
    assertThat(lines())
        .containsExactly(
            "cannot   spark.serializer: Cannot run on executors with"
                + " spark.serializer=org.apache.spark.serializer.KryoSerializer: remove the setting,"
                + " or set it to org.apache.spark.serializer.JavaSerializer");
  }

  @Test
  void dataAreNotNeeded() {
    assertThat(doctor("data.train=")).isZero();
    assertThat(lines())
        .contains(
            "warning  guilomo.data.train: none of data.train, data.table and data.query is set");
  }

  @Test
  void tablesAndQueriesAreResolved() {
    assertThat(
            doctor(
                "data.train=",
                "data.query=SELECT 'a' AS instruction, 'b' AS output",
                "evaluate.table=corpus.none",
                "output.tables=iceberg",
                "output.catalog=lake.guilomo"))
        .isEqualTo(2);
    assertThat(lines())
        .contains(
            "ok       guilomo.data.query: query SELECT 'a' AS instruction, 'b' AS output has columns"
                + " instruction, output",
            "cannot   guilomo.evaluate.table: Cannot read table corpus.none: there is no table or view"
                + " `corpus`.`none`",
            "cannot   guilomo.output.catalog: Cannot publish iceberg tables to lake.guilomo: add"
                + " --conf spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog and the"
                + " catalog's settings, such as --conf spark.sql.catalog.lake.type=rest --conf"
                + " spark.sql.catalog.lake.uri=URI");
  }

  private List<String> lines() {
    return out.toString(StandardCharsets.UTF_8).lines().toList();
  }

  private int doctor(String... overrides) {
    List<String> args = new ArrayList<>(List.of("doctor"));
    for (String setting :
        List.of(
            "model.path=" + directory.resolve("model"),
            "model.max-length=16",
            "data.train=" + directory.resolve("train.jsonl"),
            "output.dir=" + directory.resolve("new/out"))) {
      args.addAll(List.of("--set", setting));
    }
    for (String setting : overrides) {
      args.addAll(List.of("--set", setting));
    }
    Actions.Job doctor =
        (spark, config, progress, results) ->
            JobResults.print(new DoctorJob(SharedSparkSession.session(), config).run(), results);
    return Main.run(
        args.toArray(String[]::new),
        new Actions(null, null, null, null, null, doctor, null, null, null),
        builder -> null,
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        false);
  }
}
