package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestMain {

  private static final String[] INPUTS = {"--set", "model.path=m", "--set", "data.train=t"};

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final List<GuilomoConfig> configs = new ArrayList<>();
  private final List<String> cases = new ArrayList<>();
  private Exception failure;

  @TempDir private Path directory;

  @Test
  void aJobGetsTheConfigurationAndTheTwoStreams() {
    assertThat(
            run(
                "allocate",
                "--set",
                "model.path=m",
                "--set",
                "data.train=t",
                "--set",
                "search.epochs=2"))
        .isZero();
    assertThat(configs)
        .singleElement()
        .satisfies(config -> assertThat(config.search().epochs()).isEqualTo(2));
    assertThat(text(out)).isEqualTo("result\n");
    assertThat(text(err))
        .isEqualTo("allocate: 1 round\nallocate: round 1 of 1, train loss 0.5000, 0 s left\n");
  }

  @Test
  void aFileAndOverridesMakeTheConfiguration() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("a.conf"), "guilomo { search.epochs = 3, model.path = m }");
    assertThat(run("allocate", "--config", file.toString(), "--set", "data.train=t")).isZero();
    assertThat(configs.get(0).search().epochs()).isEqualTo(3);
  }

  @Test
  void mistakesOfTheUserEndWithTwoAndOneLine() {
    assertThat(run("allocate", "--set", "search.epoch=2")).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot use configuration key guilomo.search.epoch: unknown; did you mean guilomo.search.epochs?\n");
  }

  @Test
  void aMissingInputEndsWithTwo() {
    assertThat(run("allocate", "--set", "model.path=m")).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot run without training records: set guilomo.data.train, data.table or"
                + " data.query\n");
  }

  @Test
  void fineTuningNeedsAPlan() {
    assertThat(run("finetune", "--set", "model.path=m", "--set", "data.train=t")).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot fine-tune without a plan: set guilomo.run.id to the run that allocated it, or"
                + " guilomo.finetune.plan\n");
    assertThat(configs).isEmpty();
    assertThat(
            run("finetune", "--set", "model.path=m", "--set", "data.train=t", "--set", "run.id=a"))
        .isZero();
    assertThat(configs).hasSize(1);
  }

  @Test
  void scoringAndPredictingNeedRecordsAndAnAdapter() {
    assertThat(run("evaluate", "--set", "run.id=a")).isEqualTo(2);
    assertThat(run("predict", "--set", "evaluate.data=d")).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot run without records: set guilomo.evaluate.data, evaluate.table or"
                + " evaluate.query\n"
                + "error: Cannot predict without an adapter: set guilomo.run.id to the run that trained it,"
                + " or guilomo.evaluate.adapter\n");
    assertThat(
            run(
                "compare",
                INPUTS[0],
                INPUTS[1],
                INPUTS[2],
                INPUTS[3],
                "--set",
                "evaluate.data=d",
                "--set",
                "compare.strategies=[best]",
                "--set",
                "compare.baseline=best"))
        .isEqualTo(2);
    assertThat(text(err)).contains("error: Cannot use allocation strategy best: expected one of ");
    assertThat(configs).isEmpty();
  }

  @Test
  void mistakesOfTheCommandLineEndWithTwo() {
    assertThat(run("allocate", "--epochs", "2")).isEqualTo(2);
    assertThat(text(err))
        .startsWith("error: Cannot read the command line: Unknown option")
        .hasLineCount(1);
  }

  @Test
  void anUnknownCommandEndsWithTwo() {
    assertThat(run("alocate")).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot read the command line: Unmatched argument at index 0: 'alocate'\n");
  }

  @Test
  void noCommandEndsWithTwo() {
    assertThat(run()).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot run without a command: one of allocate, finetune, evaluate, predict, compare, quickstart, export, report, sql, publish-tables, bench, doctor, completion\n");
  }

  @Test
  void aMistakeThatAnExecutorFoundEndsWithTwo() {
    failure = new SparkException("Job aborted", new UserException("Cannot read x: 3 columns"));
    assertThat(run(allocate())).isEqualTo(2);
    assertThat(text(err)).endsWith("error: Cannot read x: 3 columns\n");
  }

  @Test
  void whatStoppedAnExecutorIsToldWithoutSparksWords() {
    failure =
        new SparkException(
            "Job aborted", new ArithmeticException("Cannot continue from step 3: the loss is NaN"));
    assertThat(run(allocate())).isEqualTo(1);
    assertThat(text(err)).endsWith("error: Cannot continue from step 3: the loss is NaN\n");
  }

  @Test
  void aFaultOfTheProgramEndsWithOneAndItsPlace() {
    failure =
        new SparkException(
            "Job aborted", new IllegalArgumentException("Cannot multiply [2, 3] by [4, 5]"));
    assertThat(run(allocate())).isEqualTo(1);
    assertThat(text(err))
        .containsPattern(
            "error: IllegalArgumentException: Cannot multiply \\[2, 3] by \\[4, 5] "
                + "\\(io.guilomo.spark.cli.TestMain.*\\(TestMain.java:\\d+\\)\\)\n$");
  }

  @Test
  void anythingElseEndsWithOneAndOneLine() {
    failure = new IOException("disk full\nat sector 7");
    assertThat(run(allocate())).isEqualTo(1);
    assertThat(text(err)).endsWith("error: IOException: disk full\n").doesNotContain("TestMain");
  }

  @Test
  void verboseShowsWhereAnErrorCameFrom() {
    failure = new IllegalStateException();
    assertThat(run("allocate", "--verbose", "--set", "model.path=m", "--set", "data.train=t"))
        .isEqualTo(1);
    assertThat(text(err))
        .contains("error: IllegalStateException\n")
        .contains("\tat " + TestMain.class.getName());
  }

  @Test
  void helpAndVersionGoToStandardOutput() {
    assertThat(run("allocate", "--help")).isZero();
    assertThat(text(out)).contains("--config", "--set", "--verbose");
    assertThat(run("--version")).isZero();
    assertThat(text(out)).contains("guilomo ");
    assertThat(text(err)).isEmpty();
  }

  @Test
  void everyCommandExplainsItselfAndItsOptions() {
    assertThat(run("--help")).isZero();
    List<String> commands =
        text(out)
            .lines()
            .dropWhile(line -> !line.startsWith("Commands:"))
            .skip(1)
            .filter(line -> line.matches("  \\w.*"))
            .map(line -> line.strip().split(" ")[0])
            .toList();
    assertThat(commands)
        .contains("allocate", "finetune", "compare", "completion")
        .hasSizeGreaterThan(10);
    for (String command : commands) {
      out.reset();
      assertThat(run(command, "--help")).as(command).isZero();
      assertThat(text(out)).startsWith("Usage: guilomo " + command);
      List<String> lines = text(out).lines().toList();
      for (int i = 0; i < lines.size(); i++) {
        if (lines.get(i).matches("  (-\\w, |    )--.*")) {
          // What it is for follows, on the same line or the next.
          String rest = lines.get(i).strip().replaceFirst("^(-\\w, )?--\\S+", "");
          assertThat(rest.isBlank() ? lines.get(i + 1) : rest).as(lines.get(i)).isNotBlank();
        }
      }
    }
  }

  @Test
  void completionKnowsCommandsAndOptions() throws Exception {
    assertThat(run("completion")).isZero();
    Path script = Files.writeString(directory.resolve("completion"), text(out));
    Process bash =
        new ProcessBuilder(
                "bash",
                "-c",
                "source "
                    + script
                    + "; COMP_WORDS=(guilomo allo); COMP_CWORD=1; COMP_LINE='guilomo allo';"
                    + " _complete_guilomo; echo ${COMPREPLY[*]};"
                    + " COMP_WORDS=(guilomo finetune --co); COMP_CWORD=2; COMP_LINE='guilomo finetune --co';"
                    + " _complete_guilomo; echo ${COMPREPLY[*]}")
            // It asks for what only a real completion has.
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertThat(new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .isEqualTo("allocate\n--config\n");
  }

  @Test
  void aReportNeedsADirectory() {
    assertThat(run("report", "--run", "r1")).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot read the command line: Missing required option: '--output=DIR'\n");
  }

  @Test
  void benchTakesCases() {
    assertThat(run("bench", "gemm", "gelu")).isZero();
    assertThat(cases).containsExactly("gemm", "gelu");
    assertThat(text(out)).isEqualTo("{}\n");
  }

  @Test
  void benchOfScalingIsAJob() {
    String[] args = new String[INPUTS.length + 2];
    args[0] = "bench";
    args[1] = "--scaling";
    System.arraycopy(INPUTS, 0, args, 2, INPUTS.length);
    assertThat(run(args)).isZero();
    assertThat(configs).hasSize(1);
    assertThat(cases).isEmpty();
    assertThat(run("bench", "--scaling", "gemm")).isEqualTo(2);
    assertThat(text(err))
        .endsWith("error: Cannot measure gemm with --scaling: it takes no cases\n");
  }

  @Test
  void quickstartUsesTheFetchedModelUnlessAnotherIsSet() throws IOException {
    Files.createDirectory(directory.resolve("model"));
    assertThat(run("quickstart", "--directory", directory.toString())).isZero();
    assertThat(run("quickstart", "--directory", directory.toString(), "--set", "model.path=other"))
        .isZero();
    assertThat(configs)
        .extracting(config -> config.model().path())
        .containsExactly("file:" + directory.resolve("model"), "other");
  }

  @Test
  void quickstartSaysWhoFetchesTheModel() {
    assertThat(run("quickstart", "--directory", directory.toString())).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot find a model in "
                + directory
                + ": run deploy/guilomo quickstart, which fetches it\n");
  }

  private static String[] allocate() {
    String[] args = new String[INPUTS.length + 1];
    args[0] = "allocate";
    System.arraycopy(INPUTS, 0, args, 1, INPUTS.length);
    return args;
  }

  private int run(String... args) {
    Actions actions =
        new Actions(
            job("allocate"),
            job("finetune"),
            job("evaluate"),
            job("predict"),
            job("compare"),
            job("doctor"),
            (spark, config, files, progress, results) -> configs.add(config),
            (given, profiles, device, progress, results) -> {
              cases.addAll(given);
              results.println("{}");
            },
            job("bench"));
    return Main.run(args, actions, builder -> null, stream(out), stream(err), false);
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }

  private static String text(ByteArrayOutputStream bytes) {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private Actions.Job job(String task) {
    return (spark, config, progress, results) -> {
      configs.add(config);
      if (failure != null) {
        throw failure;
      }
      progress.begin(task, 1);
      progress.round(Map.of("train loss", 0.5));
      results.println("result");
    };
  }
}
