package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.data.RecordParser;
import io.guilomo.data.TextRecord;
import io.guilomo.model.RecordSource;
import io.guilomo.model.Task;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.data.ReadRecord;
import io.guilomo.spark.data.RecordReader;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.evaluate.PredictJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.preflight.DoctorJob;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.SqlViews;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Inputs after what users of programs such as this have reported, and what they get here: the right
 * result, or one line. {@code -Dguilomo.cases} names another directory of them.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TestReportedCases {

  private static final Path CASES =
      Path.of(System.getProperty("guilomo.cases", "src/test/resources/cases")).toAbsolutePath();

  /** Characters that mean something in patterns and addresses. */
  private static final String ODD = "run[2] {b,c}*?/2024-01-01T10:00";

  @TempDir private static Path directory;
  private final SparkSession spark = SharedSparkSession.session();

  private record Told(int status, String out, List<String> err) {}

  @BeforeAll
  void plan() throws IOException {
    StringBuilder many = new StringBuilder();
    for (int i = 0; i < 1200; i++) {
      many.append("{\"sentence\":\"the film %d\",\"label\":\"item-%05d\"}\n".formatted(i, i));
    }
    Files.writeString(directory.resolve("many.jsonl"), many);
    Files.writeString(
        directory.resolve("many-val.jsonl"),
        "{\"sentence\":\"a\",\"label\":\"item-00007\"}\n{\"sentence\":\"b\",\"label\":\"item-99999\"}\n");
    Path odd = Files.createDirectories(directory.resolve(ODD));
    Files.copy(data("plain.jsonl"), odd.resolve("train[1].jsonl"));
    Files.copy(data("lab-int.jsonl"), odd.resolve("10:00.jsonl"));
    assertThat(run("allocate", "run.id=single", "allocation.strategy=single").status()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          data.train=DATA/labels-name.jsonl | Cannot read DATA/labels-name.jsonl: 48 of 48 records are bad (limit 0): first: DATA/labels-name.jsonl:1: no field label; fields are text, labels: …
          data.train=DATA/target-name.csv | Cannot read DATA/target-name.csv: no column label; columns are text, target
          data.train=DATA/header-cases.csv | Cannot read DATA/header-cases.csv: two columns are called label: label, Label; rename one
          data.train=DATA/text-array.parquet | Cannot read DATA/text-array.parquet: 48 of 48 records are bad (limit 0): first: DATA/text-array.parquet:1: sentence is a list, not a text: …
          data.train=DATA/nan-few.csv | Cannot read DATA/nan-few.csv: 1 of 48 records are bad (limit 0): first: DATA/nan-few.csv:7: missing label: …
          data.train=DATA/latin1.csv | Cannot read DATA/latin1.csv: 13 of 48 records are bad (limit 0): first: DATA/latin1.csv:8: its bytes are not UTF-8: set data.encoding to the file's encoding, such as windows-1252: …
          data.train=DIR/many.jsonl data.validation=DIR/many-val.jsonl | Cannot read DIR/many-val.jsonl: 1 of 2 records are bad (limit 0): first: DIR/many-val.jsonl:2: Cannot use label item-99999: expected one of [item-00000, …
          data.encoding=klingon | Cannot use guilomo.data.encoding = klingon: must be a character encoding, such as UTF-8 or windows-1252
          data.train=DATA/long80.jsonl model.max-length=512 | Cannot use guilomo.model.max-length = 512: BASE/bert has 64 positions; set it to at most 64
          output.dir=/proc/x | Cannot write into guilomo.output.dir = /proc/x: …
          output.dir=s4://bucket/x | Cannot use path s4://bucket/x: No FileSystem for scheme "s4"
          data.train=2024-01-01T10:00/none.jsonl | Cannot read 2024-01-01T10:00/none.jsonl: there is no such file
          data.train=DATA/none[1].jsonl | Cannot read DATA/none[1].jsonl: there is no such file
          """)
  void isRefusedInOneLine(String settings, String expected) {
    Told told = run("finetune", names(settings).split(" "));
    assertThat(told.status()).isEqualTo(2);
    String error = "error: " + names(expected);
    String last = told.err().get(told.err().size() - 1);
    if (error.endsWith("…")) {
      assertThat(last).startsWith(error.substring(0, error.length() - 1)).hasSizeLessThan(700);
    } else {
      assertThat(last).isEqualTo(error);
    }
    assertThat(told.err()).filteredOn(line -> line.startsWith("error:")).hasSize(1);
    assertThat(told.err()).noneMatch(line -> line.startsWith("report written"));
  }

  private static String names(String text) {
    return text.replace("DATA", CASES + "/data")
        .replace("BASE", CASES + "/base")
        .replace("DIR", directory.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "array.json",
        "pretty.json",
        "plain.jsonl.zst",
        "plain.csv",
        "text-binary.parquet",
        "lab-int.jsonl"
      })
  void holdsTheSameRecords(String name) {
    assertThat(records(data(name), "UTF-8"))
        .hasSize(48)
        .containsExactlyElementsOf(records(data("plain.jsonl"), "UTF-8"));
    RecordReader reader = reader("UTF-8");
    RecordParser parser = reader.parser();
    assertThat(
            reader.table(RecordSource.path(data(name).toString())).collectAsList().stream()
                .map(row -> parser.parse(row.getAs(RecordReader.JSON))))
        .containsExactlyInAnyOrderElementsOf(records(data("plain.jsonl"), "UTF-8"));
  }

  @Test
  void otherEncodingsAreRead() throws IOException {
    assertThat(records(data("latin1.csv"), "ISO-8859-1"))
        .contains(new TextRecord.Sentence("the fïlm 6 was very bad", "0"));
    String text = "sentence\tlabel\n\"größer\t1\nключ\t0\n";
    Path wide = directory.resolve("wide.tsv");
    Files.write(wide, ("\uFEFF" + text).getBytes(StandardCharsets.UTF_16LE));
    assertThat(records(wide, "UTF-16LE"))
        .containsExactly(
            new TextRecord.Sentence("\"größer", "1"), new TextRecord.Sentence("ключ", "0"));
  }

  @Test
  void theDoctorKnowsTheModelsPositions() {
    Told told = run("doctor", "model.max-length=512");
    assertThat(told.status()).isEqualTo(2);
    assertThat(told.out())
        .contains(
            "cannot   guilomo.model.max-length: Cannot use guilomo.model.max-length = 512: "
                + CASES
                + "/base/bert has 64 positions; set it to at most 64\n");
    assertThat(run("doctor", "model.max-length=auto").out())
        .contains("ok       guilomo.model.max-length: 64 of the model's 64 positions\n");
  }

  /** Training, evaluation and prediction where nothing but the exact names is right. */
  @Test
  void pathsArePathsAndPredictionsKeepTheirColumns() throws IOException {
    String output = directory.resolve(ODD).resolve("out").toString();
    String train = directory.resolve(ODD).resolve("train[1].jsonl").toString();
    Told trained = run("finetune", "output.dir=" + output, "run.id=a", "data.train=" + train);
    assertThat(trained.err()).contains("2 classes: 0 (26), 1 (21)");
    assertThat(trained.status()).isZero();
    assertThat(Path.of(output, "runs/a/report.html")).isRegularFile();

    String adapter = "evaluate.adapter=" + output + "/runs/a/adapter";
    String pairs = "evaluate.data=" + data("mixed-pairs.jsonl");
    Told evaluated = run("evaluate", "output.dir=" + output, "run.id=e", adapter, pairs);
    assertThat(evaluated.err()).contains("48 records: 48 scored, 0 bad");
    Told predicted = run("predict", "output.dir=" + output, "run.id=p", adapter, pairs);
    assertThat(predicted.out())
        .isEqualTo("48 rows of run p in table predictions, 0 without a prediction\n");
    Told other =
        run(
            "predict",
            "output.dir=" + output,
            "run.id=q",
            adapter,
            "evaluate.data=" + directory.resolve(ODD).resolve("10:00.jsonl"));
    assertThat(other.status()).isZero();

    SparkSession own = spark.newSession();
    SqlViews.register(own, output);
    List<Row> counted =
        own.sql(
                "SELECT run_id, count(sentence), count(sentence2), count(prediction), max(label)"
                    + " FROM predictions GROUP BY run_id ORDER BY run_id")
            .collectAsList();
    assertThat(counted).map(Row::toString).containsExactly("[p,48,24,48,1]", "[q,48,0,48,1]");
    assertThat(own.table("predictions").schema().apply("label").dataType().typeName())
        .isEqualTo("string");
  }

  private static Path data(String name) {
    return CASES.resolve("data").resolve(name);
  }

  private List<TextRecord> records(Path path, String encoding) {
    return reader(encoding).read(RecordSource.path(path.toString()), true).collect().stream()
        .map(ReadRecord::record)
        .toList();
  }

  private RecordReader reader(String encoding) {
    return new RecordReader(
        spark,
        new RecordParser(Task.CLASSIFICATION, Map.of()),
        Optional.empty(),
        Charset.forName(encoding));
  }

  private interface Work {
    String text(JobContext context) throws Exception;
  }

  private Actions.Job job(Work work) {
    return (session, config, progress, out) ->
        out.print(work.text(new JobContext(spark, config, progress)));
  }

  private Told run(String command, String... settings) {
    List<String> args = new ArrayList<>(List.of(command));
    List<String> given =
        new ArrayList<>(
            List.of(
                "data.task=classification",
                "data.train=" + CASES.resolve("base/cls.jsonl"),
                "data.validation=" + CASES.resolve("base/clsval.jsonl"),
                "model.path=" + CASES.resolve("base/bert"),
                "model.max-length=48",
                "finetune.plan=" + directory.resolve("out/runs/single/plan.json"),
                "finetune.steps=2",
                "finetune.batch-size=8",
                "finetune.warmup-steps=1",
                "lora-moe.max-experts=2",
                "lora-moe.max-rank=2",
                "cluster.workers=1",
                "checkpoint.every-rounds=0",
                "output.dir=" + directory.resolve("out")));
    if (command.equals("allocate") || command.equals("doctor")) {
      given.add("finetune.plan=");
    }
    given.addAll(Arrays.asList(settings));
    given.forEach(setting -> args.addAll(List.of("--set", setting)));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        Main.run(
            args.toArray(String[]::new),
            new Actions(
                job(context -> JobResults.text(new AllocateJob(context, true).run())),
                job(context -> JobResults.text(new FinetuneJob(context, true).run())),
                job(context -> JobResults.text(new EvaluateJob(context).run())),
                job(context -> JobResults.text(new PredictJob(context).run())),
                null,
                (session, config, progress, results) ->
                    JobResults.print(new DoctorJob(spark, config).run(), results),
                null,
                null,
                null),
            builder -> null,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false);
    Told told =
        new Told(
            status,
            out.toString(StandardCharsets.UTF_8),
            err.toString(StandardCharsets.UTF_8).lines().toList());
    if (Boolean.getBoolean("guilomo.cases.print")) {
      System.out.println(command + " " + String.join(" ", settings) + " -> " + told.status());
      System.out.println(String.join("\n", told.err()) + "\n" + told.out());
    }
    return told;
  }
}
