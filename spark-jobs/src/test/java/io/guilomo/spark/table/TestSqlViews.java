package io.guilomo.spark.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.spark.SharedSparkSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shipped views, and what their documentation says. */
class TestSqlViews {

  private static final Path DIRECTORY = Path.of("../deploy/sql");

  @TempDir private Path output;
  private SparkSession spark;

  @BeforeEach
  void writeRun() {
    spark = SharedSparkSession.session();
    TableWriter writer =
        new TableWriter(
            spark, output.toString(), new JobRun("r1", LocalDate.of(2026, 1, 2), "finetune"));
    Instant start = Instant.parse("2026-01-02T10:00:00Z");
    String config =
        """
        {"guilomo":{"allocation":{"experts":3,"rank":4},"lora-moe":{"max-experts":8,"max-rank":8}}}""";
    writer.replace(
        RunsTable.INSTANCE,
        List.of(
            new RunsTable.Run(
                new RunsTable.Execution(
                    "finetune", "SUCCEEDED", start, start.plusSeconds(90), 2, "1"),
                new RunsTable.Inputs(1, "guilomo", "m", "d", "t", config),
                null)));
    writer.replace(
        PlanModulesTable.INSTANCE,
        List.of(
            module(1, 0, "query", 2, 5),
            module(1, 0, "key", 4, 11),
            module(1, 1, "query", 3, 3),
            module(2, 0, "query", 2, 4),
            module(2, 0, "key", 3, 6),
            module(2, 1, "query", 3, 9),
            module(2, 2, "query", 3, 9)));
    writer.replace(
        PlanExpertsTable.INSTANCE, List.of(expert(0, 1), expert(1, 4), expert(2, 4), expert(3, 2)));
    writer.replace(
        EvaluationsTable.INSTANCE,
        List.of(
            new EvaluationsTable.Evaluation(1, "guilomo", "test", "accuracy", 0.9, 0.8, 1, 50)));
    writer
        .begin(MetricsTable.INSTANCE)
        .append(
            1,
            1,
            List.of(
                metric(3, -1, "loss", 0.5, null, null),
                metric(3, 0, "loss", 0.4, null, null),
                metric(3, -1, "expert_load", 0.25, 0, 1),
                metric(9, -1, "expert_load", 0.75, 0, 1)));
    writer.replace(
        ComparisonTable.INSTANCE,
        List.of(
            compared(
                "uniform",
                new ComparisonTable.Size(300, 400L, 1200L),
                new ComparisonTable.RandomPlans(4, 3)),
            // Of an earlier release.
            compared("guilomo", new ComparisonTable.Size(300, null, null), null)));
    SqlViews.register(spark, output.toString());
  }

  private static ComparisonTable.Compared compared(
      String strategy, ComparisonTable.Size size, ComparisonTable.RandomPlans random) {
    return new ComparisonTable.Compared(
        "t",
        strategy,
        "top-k",
        "none",
        2,
        "loss",
        new ComparisonTable.Score(2, 0.1, null, null),
        null,
        size,
        new ComparisonTable.Cost(9, null, null),
        null,
        random);
  }

  @Test
  void experts() {
    assertThat(rows("SELECT layer, experts, mean_rank FROM experts_per_layer WHERE seed = 1"))
        .containsExactly("[0,6,2.6666666666666665]", "[1,3,1.0]");
    assertThat(rows("SELECT rank, experts, share FROM rank_distribution"))
        .containsExactly("[1,1,0.25]", "[2,1,0.25]", "[4,2,0.5]");
  }

  @Test
  void parameters() {
    // Uniform: 3 experts of rank 4 on three modules of 10×20; full: 8 of rank 8.
    assertThat(
            rows(
                "SELECT parameters, uniform_parameters, full_parameters, saved FROM parameters_saved"
                    + " WHERE seed = 1"))
        .containsExactly("[300,1170,6000,870]");
  }

  /** Those are compared with the plan that its job was configured for. */
  @Test
  void parametersAreOfTheJobThatMadeThePlan() {
    job("r2", "allocate", 0, config(3, "{}"))
        .replace(PlanModulesTable.INSTANCE, List.of(module(1, 0, "query", 2, 5)));
    job("r2", "finetune", 1, config(5, "{\"plan\":\"\"}"));
    job("r2", "evaluate", 2, config(6, "{\"plan\":\"other.json\"}"));
    SqlViews.register(spark, output.toString());
    String uniform = "SELECT uniform_parameters FROM parameters_saved WHERE run_id = 'r2'";
    // 3 experts of rank 4 on a module of 10×20, then 5.
    assertThat(rows(uniform)).containsExactly("[390]");
    job("r2", "finetune", 1, config(5, "{\"plan\":\"plan.json\"}"));
    SqlViews.register(spark, output.toString());
    assertThat(rows(uniform)).containsExactly("[650]");
  }

  private static String config(int experts, String finetune) {
    return ("{\"guilomo\":{\"allocation\":{\"experts\":%d,\"rank\":4},"
            + "\"lora-moe\":{\"max-experts\":8,\"max-rank\":8},\"finetune\":%s}}")
        .formatted(experts, finetune);
  }

  private TableWriter job(String run, String job, int minute, String config) {
    TableWriter writer =
        new TableWriter(spark, output.toString(), new JobRun(run, LocalDate.of(2026, 1, 2), job));
    Instant start = Instant.parse("2026-01-02T10:00:00Z").plusSeconds(60L * minute);
    writer.replace(
        RunsTable.INSTANCE,
        List.of(
            new RunsTable.Run(
                new RunsTable.Execution(job, "SUCCEEDED", start, start, 2, "1"),
                new RunsTable.Inputs(1, "guilomo", "m", "d", "t", config),
                null)));
    return writer;
  }

  @Test
  void parametersWithOneAOfAllExperts() {
    String config =
        """
        {"guilomo":{"allocation":{"experts":3,"rank":4},"lora-moe":{"max-experts":8,"max-rank":8,\
        "sharing":"shared-a"}}}""";
    job("r2", "allocate", 0, config)
        .replace(PlanModulesTable.INSTANCE, List.of(module(1, 0, "query", 2, 5)));
    SqlViews.register(spark, output.toString());
    // 4 · 10 + 3 · (4 · 20 + 10), and 8 · 10 + 8 · (8 · 20 + 10).
    assertThat(
            rows(
                "SELECT uniform_parameters, full_parameters FROM parameters_saved"
                    + " WHERE run_id = 'r2'"))
        .containsExactly("[310,1440]");
  }

  @Test
  void measurements() {
    assertThat(rows("SELECT step, name, value FROM learning_curves"))
        .containsExactly("[3,loss,0.5]");
    assertThat(rows("SELECT layer, module, expert, share FROM expert_load"))
        .containsExactly("[0,query,1,0.75]");
  }

  @Test
  void comparisons() {
    assertThat(rows("SELECT strategy, metric, value, parameters, seconds FROM run_comparison"))
        .containsExactly("[guilomo,accuracy,0.9,300,90]");
    assertThat(
            rows(
                "SELECT strategy, routing, sharing, budget, share, mean, random_plans_beaten_share"
                    + " FROM quality_over_parameters"))
        .containsExactly(
            "[guilomo,top-k,none,null,null,2.0,null]", "[uniform,top-k,none,400,0.25,2.0,0.75]");
    assertThat(
            rows(
                "SELECT layer, module, seeds, commonest_experts, agreement, least_experts, most_experts"
                    + " FROM plan_agreement"))
        .containsExactly(
            "[0,key,2,3,0.5,3,4]",
            "[0,query,2,2,1.0,2,2]",
            "[1,query,2,3,1.0,3,3]",
            "[2,query,1,3,1.0,3,3]");
  }

  @Test
  void aQueryThatIsWrongIsRefusedOnOneLine() {
    assertThatThrownBy(() -> SqlViews.query(spark, "SELECT nothing FROM nowhere"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot run the query: ")
        .hasMessageContaining("nowhere");
    assertThatThrownBy(() -> SqlViews.register(spark, output + "/none"))
        .hasMessage(
            "Cannot open %s/none/tables: there is no such directory; has any job been run with this output?",
            output);
  }

  @Test
  void everyQueryOfTheDirectoryIsAView() throws IOException {
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      assertThat(
              files
                  .map(file -> file.getFileName().toString())
                  .filter(name -> name.endsWith(".sql"))
                  .map(name -> name.substring(0, name.length() - 4)))
          .containsExactlyInAnyOrderElementsOf(SqlViews.VIEWS);
    }
    String document = Files.readString(DIRECTORY.resolve("README.md"));
    assertThat(SqlViews.VIEWS)
        .allSatisfy(name -> assertThat(document).contains("| `" + name + "`"));
  }

  @Test
  void theDocumentedColumnsAreTheTables() throws IOException {
    TreeMap<String, String> documented = new TreeMap<>();
    String table = null;
    Pattern heading = Pattern.compile("## `(\\w+)`");
    Pattern row = Pattern.compile("\\| `(\\w+)` \\| ([A-Z<>, ]+) \\|.*");
    for (String line : Files.readAllLines(DIRECTORY.resolve("README.md"))) {
      Matcher headed = heading.matcher(line);
      Matcher column = row.matcher(line);
      if (line.startsWith("#")) {
        table = headed.matches() ? headed.group(1) : null;
      } else if (table != null && column.matches()) {
        documented.merge(table, column.group(1) + " " + column.group(2), (a, b) -> a + "," + b);
      }
    }
    TreeMap<String, String> real = new TreeMap<>();
    SqlViews.TABLES.forEach(each -> real.put(each.name(), each.columns().toDDL()));
    assertThat(documented).isEqualTo(real);
  }

  @Test
  void plainSparkSqlReadsTheTables() {
    String location = output + "/tables/plan_modules";
    spark.sql("DROP TABLE IF EXISTS catalogued");
    spark.sql("CREATE TABLE catalogued USING parquet LOCATION '" + location + "'");
    spark.sql("MSCK REPAIR TABLE catalogued");
    assertThat(rows("SELECT run_id, count(*) FROM catalogued GROUP BY run_id"))
        .containsExactly("[r1,7]");
    spark.sql("DROP TABLE catalogued");
    spark.sql(
        "CREATE OR REPLACE TEMPORARY VIEW viewed USING parquet OPTIONS (path '" + location + "')");
    assertThat(rows("SELECT run_id, sum(experts) FROM viewed GROUP BY run_id"))
        .containsExactly("[r1,20]");
  }

  private List<String> rows(String sql) {
    return spark.sql(sql).collectAsList().stream().map(Row::toString).toList();
  }

  private static PlanModulesTable.PlannedModule module(
      long seed, int layer, String name, long experts, long totalRank) {
    return new PlanModulesTable.PlannedModule(
        "guilomo", seed, layer, name, 10, 20, experts, 2, totalRank, 100);
  }

  private static PlanExpertsTable.PlannedExpert expert(int expert, int rank) {
    return new PlanExpertsTable.PlannedExpert(
        "guilomo", 1, 0, "query", expert, rank, 16, 16.0 / rank, 0, 10);
  }

  private static MetricsTable.Metric metric(
      long step, int worker, String name, double value, Integer layer, Integer expert) {
    return new MetricsTable.Metric(
        new MetricsTable.Moment("finetune", 1, 1, step, Instant.EPOCH),
        worker,
        "train",
        name,
        value,
        new MetricsTable.Part(layer, layer == null ? null : "query", expert));
  }
}
