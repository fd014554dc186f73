package io.guilomo.spark.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Comparisons on a small real decoder and few questions, with steps that are too few to learn. */
class TestCompareJob {

  @TempDir private Path output;
  private final List<String> messages = new ArrayList<>();
  private Path train;
  private Path test;

  @BeforeEach
  void chooseShortQuestions() throws IOException {
    train = ShortQuestions.of("train.jsonl", 20, output);
    test = ShortQuestions.of("validation.jsonl", 6, output);
  }

  @Test
  void budgetsAreCurvesOfRunsThatAreMadeOnceAndResumed() throws IOException {
    GuilomoConfig config =
        config(
            "compare.strategies=[guilomo, uniform]",
            "compare.seeds=[1, 2]",
            "compare.budgets=[0.001, 0.4, 1]",
            "compare.random-plans=3",
            // Which searches once for all budgets
            "search.estimator=straight-through");
    // The driver dies before the last budget's plans are trained.
    assertThatThrownBy(() -> compare(config, ", seed 1: run 9 of 16")).hasMessage("stopped");
    Map<String, String> before = finished("finetune");
    assertThat(before).hasSizeGreaterThanOrEqualTo(6);
    messages.clear();
    CompareJob.Result result = compare(config, "never");
    List<Compared> rows = result.rows();

    assertThat(finished("finetune")).containsAllEntriesOf(before);
    assertThat(finished("allocate")).containsOnlyKeys("c.guilomo.1", "c.guilomo.2");
    // One line for each strategy that has no plan as small as the first budget.
    assertThat(messages)
        .filteredOn(line -> line.contains(": not compared with this budget"))
        .hasSize(3)
        .allMatch(
            line -> line.matches("(guilomo|uniform|random) has no plan within \\d+ parameters.*"));
    long full = rows.get(0).size().full();
    List<Compared> losses = rows.stream().filter(row -> row.metric().equals("loss")).toList();
    assertThat(losses(rows))
        .containsExactly(
            "guilomo " + (long) (0.4 * full),
            "uniform " + (long) (0.4 * full),
            "random " + (long) (0.4 * full),
            "guilomo " + full,
            "uniform " + full,
            "random " + full,
            "full " + full);
    // Of all of the budget uniform and random make the full allocation: a single run of each seed.
    assertThat(before.keySet()).noneMatch(run -> run.startsWith("c.full"));
    assertThat(finished("finetune").keySet())
        .noneMatch(run -> run.startsWith("c.full") || run.startsWith("c.random." + full))
        .contains("c.uniform." + full + ".1", "c.random." + (long) (0.4 * full) + ".1.draw-1");
    Compared whole = losses.get(6);
    assertThat(whole.score()).isEqualTo(losses.get(4).score());
    assertThat(whole.size().parameters()).isEqualTo(full);
    assertThat(whole.training().gapToFull()).isZero();
    assertThat(losses.subList(0, 6))
        .allSatisfy(
            row -> {
              assertThat(row.size().parameters()).isLessThanOrEqualTo(row.size().budget());
              assertThat(row.training().asGood()).isBetween(0.0, 1.0);
              assertThat(row.score().low()).isLessThan(row.score().mean());
              assertThat(row.random() == null).isEqualTo(row.strategy().equals("random"));
            });
    assertThat(losses.get(1).random().plans()).isEqualTo(3);
    assertThat(losses.get(1).random().beaten()).isBetween(0L, 3L);
    Compared learned = losses.get(0);
    assertThat(learned.cost().searchSeconds()).isPositive();
    assertThat(learned.cost().searchEpochs()).isPositive();
    assertThat(losses.get(1).cost().searchSeconds()).isZero();
    assertThat(learned.difference().probability()).isBetween(0.0, 1.0);
    assertThat(result.findings())
        .hasSize(2)
        .first()
        .asString()
        .matches(
            "By loss, guilomo is better than [0-3] of 3 random plans with its [\\d,]+ parameters .*");
    assertThat(output.resolve("runs/c/report.html"))
        .content()
        .contains("<title>loss over trainable parameters</title>", ">" + result.findings().get(1));
    // Both budgets' plans are of one search: the smaller is part of the larger.
    AllocationPlan small = plan("plan-guilomo." + (long) (0.4 * full) + ".1.json");
    AllocationPlan large = plan("plan-guilomo." + full + ".1.json");
    assertThat(small.parameters()).isLessThan(large.parameters());
    for (int i = 0; i < small.modules().size(); i++) {
      assertThat(small.modules().get(i).totalRank())
          .isLessThanOrEqualTo(large.modules().get(i).totalRank());
    }
  }

  @Test
  void theSmallestPlanThatIsAsGoodBecomesTheRuns() throws IOException {
    GuilomoConfig config =
        config(
            "compare.strategies=[guilomo]",
            "compare.baseline=guilomo",
            "compare.seeds=[1, 2]",
            "compare.budgets=[0.001, 0.35, 0.6]",
            "compare.find-smallest=true",
            "compare.margin=0.9",
            "search.estimator=expected",
            "search.outer-gradient=first-order");
    CompareJob.Result found = compare(config, "never");
    List<Compared> rows = found.rows();
    long full = rows.get(0).size().full();
    assertThat(found.findings())
        .hasSize(2)
        .first()
        .asString()
        .matches(
            "On the 6 test records the loss of guilomo within [\\d,]+ parameters is .*, and less than"
                + " 90.0 % above it with .* % confidence over the records\\.");
    assertThat(losses(rows))
        .containsExactly(
            "guilomo " + (long) (0.35 * full), "guilomo " + (long) (0.6 * full), "full " + full);
    // One search of each seed serves both budgets.
    assertThat(finished("allocate")).containsOnlyKeys("c.guilomo.1", "c.guilomo.2");
    assertThat(messages)
        .filteredOn(line -> line.matches("guilomo within .*: validation loss .*, as good: .*"))
        .hasSize(2)
        .first()
        .asString()
        .startsWith("guilomo within %,d parameters: ".formatted((long) (0.6 * full)));
    AllocationPlan plan = plan("plan.json");
    assertThat(plan)
        .isIn(
            plan("plan-guilomo.%d.1.json".formatted((long) (0.35 * full))),
            plan("plan-guilomo.%d.2.json".formatted((long) (0.35 * full))));
    assertThat(plan.parameters()).isBetween((long) (0.25 * full), (long) (0.35 * full));
    assertThat(output.resolve("runs/c/expert.json")).exists();
    assertThat(output.resolve("runs/c/report.html"))
        .content()
        .contains("is as good as that within 90.0 % of its validation loss");

    // Within no margin at all nothing smaller is shown to be as good, and nothing is trained again.
    Map<String, String> before = finished("finetune");
    List<Compared> strict =
        compare(config.with(List.of("compare.margin=0", "evaluate.confidence=0.9999")), "never")
            .rows();
    assertThat(losses(strict)).containsExactly("guilomo " + (long) (0.6 * full), "full " + full);
    assertThat(finished("finetune")).isEqualTo(before);
    assertThat(plan("plan.json").parameters()).isEqualTo(full);
  }

  private static List<String> losses(List<Compared> rows) {
    return rows.stream()
        .filter(row -> row.metric().equals("loss"))
        .map(row -> row.strategy() + " " + row.size().budget())
        .toList();
  }

  @Test
  void everyStrategyHasTheLearningRateThatIsBestForIt() throws IOException {
    GuilomoConfig config =
        config(
            "compare.strategies=[uniform, single]",
            "compare.seeds=[1]",
            // The last makes weights infinite.
            "compare.learning-rates=[1e-9, 1e-2, 1e30]");
    List<Compared> rows = compare(config, "never").rows();
    assertThat(rows).extracting(row -> row.training().learningRate()).containsOnly(1e-2);
    assertThat(messages).anyMatch(line -> line.endsWith(" is too high: the training diverged"));
    // With one seed an interval says what the records are worth.
    assertThat(rows)
        .filteredOn(row -> row.strategy().equals("single"))
        .extracting(row -> row.metric() + " over " + row.difference().over())
        .containsExactly("choices_accuracy over records", "loss over records");
    // Only what was chosen is scored.
    assertThat(finished("evaluate")).containsOnlyKeys("c.uniform.1.lr-0.01", "c.single.1.lr-0.01");
    // With other rates, what is known already is not trained again.
    Map<String, String> before = finished("finetune");
    compare(config.with(List.of("compare.learning-rates=[1e-2, 1e-9]")), "never");
    assertThat(finished("finetune")).isEqualTo(before);
    // Further seeds train with the rate that the first found.
    compare(config.with(List.of("compare.seeds=[1, 2]", "compare.tuning-seeds=1")), "never");
    assertThat(finished("finetune").keySet())
        .filteredOn(run -> run.contains(".2."))
        .containsExactly("c.single.2.lr-0.01", "c.uniform.2.lr-0.01");
  }

  @Test
  void strategiesShareWhatTheyMeasureAndItsCost() throws IOException {
    List<Compared> rows =
        compare(config("compare.strategies=[usage, svd, uniform]", "compare.seeds=[1]"), "never")
            .rows();
    assertThat(finished("allocate")).containsOnlyKeys("c.usage.1", "c.svd.1");
    assertThat(messages)
        .filteredOn(line -> line.startsWith("measurements of a training"))
        .hasSize(1);
    assertThat(rows)
        .filteredOn(row -> !row.strategy().equals("uniform"))
        .extracting(row -> row.cost().searchSeconds())
        .allMatch(seconds -> seconds > 0)
        .containsOnly(rows.get(0).cost().searchSeconds());
    long budget = plan("plan-uniform.1.json").parameters();
    assertThat(plan("plan-usage.1.json").parameters()).isBetween(budget / 2, budget);
  }

  @Test
  void everyRoutingAndSharingHasItsSearchItsRateAndTheSameBudget() throws IOException {
    GuilomoConfig config =
        config(
            "compare.strategies=[guilomo]",
            "compare.baseline=guilomo",
            "compare.routings=[top-k, dense, sparsegen]",
            "compare.sharings=[none, shared-a]",
            "compare.seeds=[1]",
            "compare.learning-rates=[1e-9, 1e-2]",
            "search.warmup-steps=0",
            "search.epochs=0.3");
    // The driver dies before the last combination's plan is trained.
    assertThatThrownBy(() -> compare(config, "guilomo (dense, shared-a), seed 1, learning rate"))
        .hasMessage("stopped");
    Map<String, String> before = finished("finetune");
    Map<String, String> searches = finished("allocate");
    assertThat(searches)
        .containsOnlyKeys(
            "c.guilomo.top-k.none.1",
            "c.guilomo.top-k.shared-a.1",
            "c.guilomo.dense.none.1",
            "c.guilomo.dense.shared-a.1");
    messages.clear();
    CompareJob.Result result = compare(config, "never");
    List<Compared> rows = result.rows();

    assertThat(finished("allocate")).isEqualTo(searches);
    assertThat(finished("finetune"))
        .hasSize(8)
        .containsAllEntriesOf(before)
        .containsKey("c.guilomo.dense.shared-a.1.lr-0.01");
    assertThat(messages)
        .filteredOn(line -> line.contains("learning rate 0.01: run "))
        .extracting(line -> line.substring(0, line.indexOf(", seed 1")))
        .containsExactly(
            "guilomo (top-k, none)",
            "guilomo (top-k, shared-a)",
            "guilomo (dense, none)",
            "guilomo (dense, shared-a)");
    List<Compared> losses = rows.stream().filter(row -> row.metric().equals("loss")).toList();
    assertThat(losses)
        .extracting(row -> row.routing() + " " + row.sharing())
        .containsExactly("top-k none", "top-k shared-a", "dense none", "dense shared-a");
    // Scored with the rate that is best at the routing and sharing.
    assertThat(finished("evaluate"))
        .containsOnlyKeys(
            losses.stream()
                .map(
                    row ->
                        "c.guilomo.%s.%s.1.lr-%s"
                            .formatted(
                                row.routing(),
                                row.sharing(),
                                Tunings.text(row.training().learningRate())))
                .toArray(String[]::new));
    // The first is the baseline, and the budget of all others; a λ network has more parameters.
    double budget = losses.get(0).size().parameters();
    assertThat(messages)
        .filteredOn(line -> line.contains(": not compared with this budget"))
        .hasSize(2)
        .first()
        .asString()
        .startsWith(
            "guilomo (sparsegen, none) has no plan within %,d parameters".formatted((long) budget));
    assertThat(losses.get(0).difference()).isNull();
    assertThat(losses.subList(1, 4))
        .allSatisfy(
            row -> {
              assertThat(row.difference().mean()).isNotZero();
              assertThat(row.size().parameters()).isBetween(0.3 * budget, budget);
            });
    for (String combination : List.of("top-k.shared-a", "dense.none", "dense.shared-a")) {
      AllocationPlan plan = plan("plan-guilomo." + combination + ".1.json");
      assertThat(combination).isEqualTo(plan.routing().router() + "." + plan.sharing());
    }
    assertThat(
            new TableReader(SharedSparkSession.session(), output.toString())
                .read(ComparisonTable.INSTANCE)
                .filter("metric = 'loss'")
                .select("routing", "sharing")
                .distinct()
                .count())
        .isEqualTo(4);
    assertThat(output.resolve("runs/c/report.html"))
        .content()
        .contains(
            "<title>loss over trainable parameters</title>",
            "guilomo (dense, shared-a)</th>",
            "c.guilomo.dense.shared-a.1.lr-");
  }

  @Test
  void combinationsThatCannotBeAreRefusedBeforeAnythingRuns() {
    assertThatThrownBy(
            () ->
                compare(
                    config(
                        "compare.strategies=[uniform, svd]", "compare.sharings=[none, shared-a]"),
                    "never"))
        .hasMessage(
            "Cannot plan with strategy svd for lora-moe.sharing=shared-a: it weighs a rank by its"
                + " parameters, which would depend on the ranks of other experts; choose another"
                + " strategy, or sharing none");
    assertThatThrownBy(
            () ->
                compare(
                    config("compare.strategies=[uniform, file]", "compare.routings=[top-k, dense]"),
                    "never"))
        .hasMessage(
            "Cannot compare strategy file at several routings or sharings: the plan in a file is for"
                + " one of each; leave the strategy out, or give compare.routings and"
                + " compare.sharings one value each");
    assertThat(output.resolve("tables")).doesNotExist();
  }

  private CompareJob.Result compare(GuilomoConfig config, String dyingAt) throws IOException {
    ProgressListener listener =
        new ProgressListener() {
          @Override
          public void begin(String task, long rounds) {}

          @Override
          public void round(Map<String, Double> values) {}

          @Override
          public void message(String line) {
            messages.add(line);
            if (line.contains(dyingAt)) {
              throw new IllegalStateException("stopped");
            }
          }

          @Override
          public void end() {}
        };
    return new CompareJob(new JobContext(SharedSparkSession.session(), config, listener)).run();
  }

  /** When the jobs of a name had succeeded, by run. */
  private Map<String, String> finished(String job) {
    Map<String, String> runs = new TreeMap<>();
    for (Row row :
        new TableReader(SharedSparkSession.session(), output.toString())
            .read(RunsTable.INSTANCE)
            .filter("status = 'SUCCEEDED' AND job = '" + job + "'")
            .collectAsList()) {
      runs.put(row.getAs("run_id"), row.getAs("finished_at").toString());
    }
    return runs;
  }

  private AllocationPlan plan(String file) throws IOException {
    return AllocationPlanParser.fromJson(Files.readString(output.resolve("runs/c/" + file)));
  }

  private GuilomoConfig config(String... overrides) {
    return GuilomoConfig.load(
            null,
            List.of(
                "run.id=c",
                "output.dir=" + output,
                "model.path=" + GoldenFiles.models().resolve("stories260K-hf"),
                "model.max-length=512",
                "data.task=multiple-choice",
                "data.train=" + train,
                "data.validation-fraction=0.3",
                "evaluate.data=" + test,
                "evaluate.methods=[choices]",
                "evaluate.bootstrap-samples=20",
                "lora-moe.target-modules=[q_proj,v_proj]",
                "lora-moe.max-experts=3",
                "lora-moe.max-rank=3",
                "search.epochs=1",
                "search.batch-size=8",
                "search.warmup-steps=1",
                "finetune.steps=2",
                "finetune.batch-size=4",
                "finetune.warmup-steps=1",
                "finetune.learning-rate=1e-2",
                "finetune.validate-every-steps=2",
                "cluster.workers=1",
                "cluster.threads-per-worker=1",
                "cluster.averaging-frequency=2",
                "checkpoint.every-rounds=0"))
        .with(List.of(overrides));
  }
}
