package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.spark.SharedSparkSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The notebooks and the script of their queries, on made-up runs named as the quick start's. */
class TestNotebooks {

  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Pattern IN_NOTEBOOK =
      Pattern.compile("spark\\.sql\\(\"\"\"(.*?)\"\"\"", Pattern.DOTALL);

  @TempDir private Path output;

  @BeforeEach
  void writeRuns() {
    writeRuns(output);
  }

  static void writeRuns(Path output) {
    List<String> modules =
        List.of("query", "key", "value", "attention_output", "intermediate", "output");
    new SampleRun(output, "quickstart")
        .run(0, null)
        .plan(2, modules)
        .search(2)
        .training(3)
        .evaluation();
    new SampleRun(output, "quickstart.uniform").run(5, null).plan(2, modules).evaluation();
  }

  @Test
  void theScriptRuns() throws IOException {
    SparkSession spark = SharedSparkSession.session().newSession();
    Map<String, List<String>> results = new LinkedHashMap<>();
    script()
        .forEach(
            (title, query) ->
                results.put(
                    title,
                    spark
                        .sql(query.replace("target/quickstart/output", output.toString()))
                        .collectAsList()
                        .stream()
                        .map(Row::toString)
                        .toList()));
    assertThat(results.get("Experts of each module"))
        .containsExactly("[0,2,2,2,2,2,2]", "[1,4,4,4,4,4,4]");
    assertThat(results.get("Mean rank of each module's experts"))
        .containsExactly("[0,1.5,1.5,1.5,1.5,1.5,1.5]", "[1,2.5,2.5,2.5,2.5,2.5,2.5]");
    // Six modules of two experts, six of four; 10·rank tokens each.
    assertThat(results.get("How many experts have which rank"))
        .containsExactly("[1,12,120]", "[2,12,240]", "[3,6,180]", "[4,6,240]");
    assertThat(results.get("Modules whose number of experts the search has changed"))
        .containsExactly("[0,query,2,3,2]");
    assertThat(results.get("Parameters of each run"))
        .containsExactly(
            "[quickstart,36,2.1666666666666665,1200,0.05]",
            "[quickstart.uniform,36,2.1666666666666665,1200,0.05]");
    assertThat(results.get("Jobs"))
        .containsExactly(
            "[quickstart,allocate,guilomo,SUCCEEDED,205]",
            "[quickstart.uniform,allocate,guilomo,SUCCEEDED,205]");
    assertThat(results.get("Scores on records that no training has seen"))
        .first()
        .isEqualTo("[accuracy,quickstart,0.7135,0.6717,0.7534,527]");
  }

  @ParameterizedTest
  @ValueSource(strings = {"allocation_analysis", "run_comparison"})
  void notebooksHoldTheQueriesOfTheScriptAndTheirOutputs(String name) throws IOException {
    List<String> known = script().values().stream().map(TestNotebooks::oneLine).toList();
    int queries = 0;
    for (JsonNode cell : cells(name)) {
      Matcher query = IN_NOTEBOOK.matcher(text(cell.get("source")));
      if (query.find()) {
        queries++;
        assertThat(known).contains(oneLine(query.group(1)));
        assertThat(cell.get("outputs")).hasSize(1);
        assertThat(text(cell.get("outputs").get(0).get("data").get("text/html")))
            .containsAnyOf("<td", "<polyline");
      } else if (cell.get("cell_type").asText().equals("code")) {
        assertThat(cell.get("execution_count").asInt()).isPositive();
        assertThat(cell.get("outputs")).isEmpty();
      }
    }
    assertThat(queries).isGreaterThan(3);
  }

  @Test
  void theyRunFromStartToEnd() throws Exception {
    assertThat(
            executed(
                output, "notebooks/allocation_analysis.ipynb", "notebooks/run_comparison.ipynb"))
        .contains("allocation_analysis.ipynb: 8 cells\n", "run_comparison.ipynb: 9 cells\n");
  }

  /** What the script says that executes notebooks on an output directory. */
  static String executed(Path output, String... notebooks) throws Exception {
    assumeTrue(
        hasNbclient(), "skipped: no python3 has nbclient, with which notebooks are executed");
    assumeTrue(
        Files.isDirectory(ROOT.resolve("deploy/spark/target/jars")),
        "skipped: the build's Spark is not there");
    List<String> command = new ArrayList<>(List.of(ROOT.resolve("notebooks/run").toString()));
    command.addAll(List.of(notebooks));
    ProcessBuilder run = new ProcessBuilder(command).directory(ROOT.toFile());
    run.environment().put("GUILOMO_OUTPUT", output.toString());
    run.environment().remove("SPARK_HOME");
    Path log = output.resolve("log");
    Process process = run.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
    String said = Files.readString(log);
    assertThat(process.exitValue()).as(said).isZero();
    return said;
  }

  /** Statements of the script by their titles, or by their text if they have none. */
  private static Map<String, String> script() throws IOException {
    Map<String, String> statements = new LinkedHashMap<>();
    for (String statement : Files.readString(ROOT.resolve("notebooks/queries.sql")).split(";")) {
      String query = statement.replaceAll("(?m)^--.*$", "").strip();
      String[] titled = statement.strip().split("\n", 2);
      if (!query.isEmpty()) {
        statements.put(
            query.startsWith("SELECT") ? titled[0].replaceFirst("^-- ", "") : query, query);
      }
    }
    return statements;
  }

  private static JsonNode cells(String notebook) throws IOException {
    return new ObjectMapper()
        .readTree(ROOT.resolve("notebooks/" + notebook + ".ipynb").toFile())
        .get("cells");
  }

  /** Notebooks hold text as a list of lines. */
  private static String text(JsonNode lines) {
    if (lines.isTextual()) {
      return lines.asText();
    }
    List<String> all = new ArrayList<>();
    lines.forEach(line -> all.add(line.asText()));
    return String.join("", all);
  }

  private static String oneLine(String query) {
    return query.strip().replaceAll("\\s+", " ");
  }

  private static boolean hasNbclient() throws InterruptedException {
    for (String python : List.of("python3", "/usr/bin/python3")) {
      try {
        Process check = new ProcessBuilder(python, "-c", "import nbclient").start();
        check.getErrorStream().readAllBytes();
        if (check.waitFor() == 0) {
          return true;
        }
      } catch (IOException e) {
        // There is no such Python.
      }
    }
    return false;
  }
}
