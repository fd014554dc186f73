package io.guilomo.spark.search;

import static io.guilomo.spark.search.SmallSearch.EXPERTS;
import static io.guilomo.spark.search.SmallSearch.MODULES;
import static io.guilomo.spark.search.SmallSearch.RANKS;
import static io.guilomo.spark.search.SmallSearch.ROUNDS;
import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.ModulePlan;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.checkpoint.CheckpointDirectory;
import io.guilomo.spark.checkpoint.JobCheckpoints;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.PlanExpertsTable;
import io.guilomo.spark.table.PlanModulesTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.SqlViews;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole job on a small real decoder and real questions. */
class TestAllocateJob {

  private static final int LAYERS = 5;
  private static final int STEPS = 5;

  @TempDir private Path output;
  private final List<String> messages = new ArrayList<>();
  private final List<Map<String, Double>> rounds = new ArrayList<>();

  @Test
  void aRunFillsEveryTableAndFile() throws IOException {
    AllocateJob.Result result = run("first");
    assertThat(rounds)
        .hasSize(ROUNDS)
        .allSatisfy(values -> assertThat(values).containsKey("train loss"));
    assertThat(messages)
        .anyMatch(line -> line.startsWith("data: "))
        .anyMatch(line -> line.startsWith("plan written"));
    SearchRun.Outcome search = result.searches().get(0);
    assertThat(search.after().loss()).isLessThan(search.before().loss());

    Row run = only(RunsTable.INSTANCE, "first");
    assertThat(run.<String>getAs("status")).isEqualTo("SUCCEEDED");
    assertThat(run.<Long>getAs("workers")).isEqualTo(2);
    assertThat(run.<String>getAs("backbone_digest")).isNotBlank();
    assertThat(GuilomoConfig.fromJson(run.getAs("config_json")).search().epochs()).isEqualTo(1);

    Path files = output.resolve("runs/first");
    AllocationPlan plan =
        AllocationPlanParser.fromJson(Files.readString(files.resolve("plan.json")));
    assertThat(plan).isEqualTo(result.plan());
    assertThat(plan.backboneDigest()).isEqualTo(run.getAs("backbone_digest"));
    assertThat(rows(PlanModulesTable.INSTANCE, "first").count()).isEqualTo(MODULES);
    assertThat(rows(PlanExpertsTable.INSTANCE, "first").count()).isEqualTo(plan.totalExperts());
    Row queried =
        SharedSparkSession.session()
            .sql(
                "SELECT sum(experts), sum(total_rank) FROM parquet.`%s/tables/plan_modules` WHERE run_id = 'first'"
                    .formatted(output))
            .first();
    assertThat(queried.getLong(0)).isEqualTo(plan.totalExperts());
    assertThat(queried.getLong(1)).isEqualTo(plan.totalRank());
    JsonNode experts = new ObjectMapper().readTree(files.resolve("expert.json").toFile());
    JsonNode ranks = new ObjectMapper().readTree(files.resolve("rank.json").toFile());
    assertThat(experts).hasSize(MODULES);
    assertThat(ranks).hasSize(MODULES * EXPERTS);
    assertThat(experts.get("model.layers.2.self_attn.q_proj").asInt())
        .isEqualTo(experts(plan, 2, "q_proj"));

    Dataset<Row> history = rows(GsvHistoryTable.INSTANCE, "first");
    assertThat(history.count())
        .isEqualTo((long) (ROUNDS + 1) * MODULES * (EXPERTS + EXPERTS * RANKS));
    assertThat(planned(history, ROUNDS)).isEqualTo(planned(plan));
    assertThat(planned(history, 0)).isNotEqualTo(planned(plan));
    Row learned =
        history
            .filter(
                "round = 3 AND kind = 'experts' AND layer = 2 AND module = 'q_proj' AND is_argmax")
            .collectAsList()
            .get(0);
    assertThat(experts(plan, 2, "q_proj"))
        .isEqualTo(Math.max(2, learned.<Integer>getAs("index") + 1));

    Dataset<Row> metrics = rows(MetricsTable.INSTANCE, "first");
    assertThat(metrics.filter("split = 'train' AND name = 'loss' AND worker = -1").count())
        .isEqualTo(STEPS);
    assertThat(metrics.filter("split = 'train' AND name = 'loss' AND worker >= 0").count())
        .isEqualTo(2 * STEPS);
    assertThat(metrics.filter("split = 'validation' AND name = 'loss' AND worker = -1").count())
        .isEqualTo(2);
    assertThat(GuilomoConfig.load(files.resolve("config.conf").toString(), List.of()).run().id())
        .isEqualTo("first");
  }

  @Test
  void weightsOfTwoBytesLearnAndRepeatTheirBits() throws IOException {
    AllocateJob.Result first = run("narrow", "model.precision=bfloat16");
    SearchRun.Outcome search = first.searches().get(0);
    assertThat(search.after().loss()).isLessThan(search.before().loss());
    List<String> history = values(GsvHistoryTable.INSTANCE, "narrow");
    assertThat(run("narrow", "model.precision=bfloat16").searches()).isEqualTo(first.searches());
    assertThat(values(GsvHistoryTable.INSTANCE, "narrow")).isEqualTo(history);
  }

  @Test
  void weightsOfOneByteLearnRepeatTheirBitsAndTellWhatTheyLost() throws IOException {
    AllocateJob.Result first = run("int8", "model.precision=int8");
    SearchRun.Outcome search = first.searches().get(0);
    assertThat(search.after().loss()).isLessThan(search.before().loss());
    assertThat(run("int8", "model.precision=int8").searches()).isEqualTo(first.searches());
    List<Row> errors =
        rows(MetricsTable.INSTANCE, "int8").filter("name = 'weight_error'").collectAsList();
    // All matrices, the embeddings, and seven kinds of modules.
    assertThat(errors)
        .hasSize(9)
        .allSatisfy(row -> assertThat(row.<Double>getAs("value")).isBetween(1e-3, 1.5e-2));
    assertThat(errors).filteredOn(row -> "mlp.down_proj".equals(row.getAs("module"))).hasSize(1);
    assertThat(errors).filteredOn(row -> row.getAs("module") == null).hasSize(1);
  }

  @Test
  void theSameSeedGivesTheSameRowsAndARepeatedRunReplacesThem() throws IOException {
    AllocateJob.Result first = run("again");
    List<String> modules = values(PlanModulesTable.INSTANCE, "again");
    List<String> experts = values(PlanExpertsTable.INSTANCE, "again");
    List<String> history = values(GsvHistoryTable.INSTANCE, "again");
    List<String> metrics = values(MetricsTable.INSTANCE, "again");
    AllocateJob.Result second = run("again");
    assertThat(second.plan()).isEqualTo(first.plan());
    assertThat(second.searches()).isEqualTo(first.searches());
    assertThat(rows(RunsTable.INSTANCE, "again").count()).isEqualTo(1);
    assertThat(values(PlanModulesTable.INSTANCE, "again")).isEqualTo(modules);
    assertThat(values(PlanExpertsTable.INSTANCE, "again")).isEqualTo(experts);
    assertThat(values(GsvHistoryTable.INSTANCE, "again")).isEqualTo(history);
    assertThat(values(MetricsTable.INSTANCE, "again")).isEqualTo(metrics);
    assertThat(run("other", "run.seed=43").plan()).isNotEqualTo(first.plan());
  }

  @Test
  void aSeedLearnsTheSamePlanAloneAndAmongOthers() throws IOException {
    AllocationPlan alone = run("alone").plan();
    AllocateJob.Result both = run("both", "search.seeds=[7, 42]");
    assertThat(both.searches()).hasSize(2);
    assertThat(both.searches().get(1).plan()).isEqualTo(alone);
    assertThat(both.plan().strategy()).isEqualTo("consensus");
    assertThat(both.plan().backboneDigest()).isEqualTo(alone.backboneDigest()).isNotEmpty();
    assertThat(rows(PlanModulesTable.INSTANCE, "both").count()).isEqualTo(3 * MODULES);
    assertThat(rows(PlanModulesTable.INSTANCE, "both").filter("seed = 7").count())
        .isEqualTo(MODULES);
    assertThat(
            rows(MetricsTable.INSTANCE, "both")
                .filter("seed = 42 AND name != 'search_seconds'")
                .drop("at", "run_id"))
        .matches(
            metrics ->
                metrics
                    .except(rows(MetricsTable.INSTANCE, "alone").drop("at", "run_id"))
                    .isEmpty());
    SparkSession spark = SharedSparkSession.session();
    SqlViews.register(spark, output.toString());
    List<Row> agreement =
        spark
            .sql(
                "SELECT seeds, agreement, least_experts, most_experts FROM plan_agreement WHERE"
                    + " run_id = 'both'")
            .collectAsList();
    assertThat(agreement).hasSize(MODULES);
    assertThat(agreement)
        .allSatisfy(
            row -> {
              boolean agree = row.getLong(2) == row.getLong(3);
              assertThat(row.getLong(0)).isEqualTo(2);
              assertThat(row.getDouble(1)).isEqualTo(agree ? 1.0 : 0.5);
            });
    Path files = output.resolve("runs/both");
    assertThat(AllocationPlanParser.fromJson(Files.readString(files.resolve("plan.json"))))
        .isEqualTo(both.plan());
    assertThat(AllocationPlanParser.fromJson(Files.readString(files.resolve("plan-seed-42.json"))))
        .isEqualTo(alone);
    assertThat(files.resolve("rank-seed-7.json")).exists();
  }

  @Test
  void searchesThatGoOnAnnounceTheRoundsThatRemainOfAll() throws IOException {
    Messages dying =
        new Messages(messages) {
          @Override
          public void message(String line) {
            super.message(line);
            if (line.startsWith("plan written to ")) {
              throw new IllegalStateException("died");
            }
          }
        };
    assertThatThrownBy(() -> new SmallSearch(output, dying).run("r", "search.seeds=[7]"))
        .hasMessage("died");
    List<Long> announced = new ArrayList<>();
    Messages counting =
        new Messages(messages) {
          @Override
          public void begin(String task, long count) {
            announced.add(count);
          }

          @Override
          public void round(Map<String, Double> values) {
            rounds.add(values);
          }
        };
    new SmallSearch(output, counting).run("r", "search.seeds=[7, 42]");
    assertThat(messages).contains("resuming after round 3 of 3");
    // Those of seed 42: seed 7 had ended.
    assertThat(announced).containsExactly((long) ROUNDS);
    assertThat(rounds).hasSize(ROUNDS);
  }

  @Test
  void aSearchThatGoesOnCostsWhatAllItsAttemptsTook() throws IOException {
    Messages dying =
        new Messages(messages) {
          private int rounds;

          @Override
          public void round(Map<String, Double> values) {
            if (rounds++ == 2) {
              throw new IllegalStateException("died");
            }
          }
        };
    String[] settings = {"checkpoint.every-rounds=1", "checkpoint.keep=1"};
    assertThatThrownBy(() -> new SmallSearch(output, dying).run("r", settings)).hasMessage("died");
    CheckpointDirectory directory =
        new JobCheckpoints(
                new org.apache.hadoop.fs.Path(
                    output.resolve("runs/r/checkpoints/allocate").toUri()),
                new Configuration(),
                1)
            .of(42);
    Checkpoint left = directory.newest(messages::add).orElseThrow();
    SearchState state = SearchState.fromJson("the state", left.progress());
    assertThat(state.seconds()).isPositive();
    directory.write(
        new Checkpoint(
            left.round(),
            left.step(),
            left.network(),
            left.parameters(),
            left.updaterState(),
            state.at(1e6).toJson(),
            left.configuration()));
    new SmallSearch(output, new Messages(messages)).run("r", settings);
    assertThat(messages).contains("resuming after round 2 of 3");
    assertThat(rows(MetricsTable.INSTANCE, "r").filter("name = 'search_seconds'").collectAsList())
        .singleElement()
        .satisfies(row -> assertThat(row.<Double>getAs("value")).isBetween(1e6, 1.1e6));

    // One of an earlier release does not say.
    String earlier = left.progress().replaceFirst("\"seconds\":[^,}]+,", "");
    assertThat(earlier).isNotEqualTo(left.progress());
    assertThat(SearchState.fromJson("the state", earlier).seconds()).isZero();
  }

  @Test
  void aLearnedPlanKeepsItsBudgetAndOthersNeedNoData() throws IOException {
    AllocationPlan whole = run("whole").plan();
    long budget = whole.parameters() - 1000;
    assertThat(run("bounded", "allocation.budget.parameters=" + budget).plan().parameters())
        .isBetween(budget / 2, budget);
    AllocationPlan random =
        run(
                "random",
                "allocation.strategy=random",
                "data.train=nowhere",
                "allocation.budget.parameters=" + budget)
            .plan();
    assertThat(random.parameters()).isBetween(budget - 1000, budget);
    assertThat(random.backboneDigest()).isEmpty();
    assertThat(only(RunsTable.INSTANCE, "random").<String>getAs("strategy")).isEqualTo("random");
    // The files of one run are a plan for another.
    AllocationPlan released =
        run(
                "released",
                "allocation.strategy=file",
                "allocation.plan=" + output.resolve("runs/random"))
            .plan();
    assertThat(released.parameters()).isEqualTo(random.parameters());
    assertThat(released.strategy()).isEqualTo("file");
  }

  @Test
  void aModelThatIsNotThereFailsTheRun() {
    String missing = output.resolve("missing").toString();
    assertThatThrownBy(() -> run("failed", "model.path=" + missing))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot ")
        .hasMessageContaining(missing);
    assertFailed("failed");
  }

  @Test
  void aColumnThatIsNotThereFailsTheRun() {
    assertThatThrownBy(() -> run("failed", "data.columns.question=qestion"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot ")
        .hasMessageContaining("qestion");
    assertFailed("failed");
  }

  @Test
  void dataThatAreNotThereFailTheRun() {
    assertThatThrownBy(() -> run("failed", "data.train=" + output.resolve("none.jsonl")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot read ")
        .hasMessageContaining("none.jsonl");
    assertFailed("failed");
  }

  @Test
  void aModuleThatTheModelDoesNotHaveFailsTheRun() {
    assertThatThrownBy(() -> run("failed", "lora-moe.target-modules=[query]"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "Cannot put experts on query: the model's modules are [down_proj, ");
    assertFailed("failed");
  }

  @Test
  void aLearningRateThatIsNoNumberIsRefusedBeforeAnythingRuns() {
    assertThatThrownBy(() -> run("failed", "search.learning-rate=NaN"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot use guilomo.search.learning-rate = NaN");
    assertThat(output.resolve("tables")).doesNotExist();
  }

  private void assertFailed(String runId) {
    Row run = only(RunsTable.INSTANCE, runId);
    assertThat(run.<String>getAs("status")).isEqualTo("FAILED");
    assertThat(run.<Object>getAs("finished_at")).isNotNull();
    assertThat(output.resolve("runs/" + runId))
        .isDirectoryContaining("glob:**/report.html")
        .isDirectoryNotContaining("glob:**/{plan.json,config.conf}");
    assertThat(output.resolve("runs/" + runId + "/report.html"))
        .content()
        .contains("Job allocate had failed when this was written.");
  }

  private AllocateJob.Result run(String runId, String... overrides) throws IOException {
    return new SmallSearch(output, new Listener()).run(runId, overrides);
  }

  /** The ranks of every module's experts, as the largest entries after a round say them. */
  private static Map<String, List<Integer>> planned(Dataset<Row> history, int round) {
    Dataset<Row> chosen = history.filter("is_argmax AND round = " + round);
    Map<String, List<Integer>> planned = new TreeMap<>();
    for (Row row : chosen.filter("kind = 'experts'").collectAsList()) {
      int experts = Math.max(2, row.<Integer>getAs("index") + 1);
      planned.put(name(row), new ArrayList<>(Collections.nCopies(experts, 0)));
    }
    for (Row row : chosen.filter("kind = 'rank'").collectAsList()) {
      List<Integer> ranks = planned.get(name(row));
      int expert = row.<Integer>getAs("expert");
      if (expert < ranks.size()) {
        ranks.set(expert, row.<Integer>getAs("index") + 1);
      }
    }
    return planned;
  }

  private static String name(Row row) {
    return "layer " + row.getAs("layer") + " " + row.getAs("module");
  }

  private static Map<String, List<Integer>> planned(AllocationPlan plan) {
    Map<String, List<Integer>> planned = new TreeMap<>();
    for (ModulePlan own : plan.modules()) {
      planned.put(own.module().toString(), own.experts().stream().map(ExpertPlan::rank).toList());
    }
    return planned;
  }

  private static int experts(AllocationPlan plan, int layer, String name) {
    return plan.modules().stream()
        .filter(
            planned -> planned.module().layer() == layer && planned.module().name().equals(name))
        .findFirst()
        .orElseThrow()
        .experts()
        .size();
  }

  private Dataset<Row> rows(Table<?> table, String runId) {
    return new TableReader(SharedSparkSession.session(), output.toString()).read(table, runId);
  }

  private Row only(Table<?> table, String runId) {
    List<Row> rows = rows(table, runId).collectAsList();
    assertThat(rows).hasSize(1);
    return rows.get(0);
  }

  /** All rows without their times, sorted. */
  private List<String> values(Table<?> table, String runId) {
    return rows(table, runId).drop(col("at")).collectAsList().stream()
        .map(Row::toString)
        // No two searches take as long.
        .filter(row -> !row.contains(MetricsTable.SEARCH_SECONDS))
        .sorted()
        .toList();
  }

  private final class Listener implements ProgressListener {

    @Override
    public void begin(String task, long count) {
      assertThat(count % ROUNDS).isZero();
    }

    @Override
    public void round(Map<String, Double> values) {
      rounds.add(values);
    }

    @Override
    public void message(String line) {
      messages.add(line);
    }

    @Override
    public void end() {}
  }
}
