package io.guilomo.spark.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.spark.table.ComparisonTable.Compared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Comparisons on a small real decoder and few questions, with steps that are too few to learn. */
class TestCompareJob extends SmallComparison {

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
    CompareJob.Result result = compare(config);
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
    AllocationPlan smaller = plan("plan-guilomo." + (long) (0.4 * full) + ".1.json");
    AllocationPlan larger = plan("plan-guilomo." + full + ".1.json");
    assertThat(smaller.parameters()).isLessThan(larger.parameters());
    for (int i = 0; i < smaller.modules().size(); i++) {
      assertThat(smaller.modules().get(i).totalRank())
          .isLessThanOrEqualTo(larger.modules().get(i).totalRank());
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
    CompareJob.Result found = compare(config);
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
        compare(config.with(List.of("compare.margin=0", "evaluate.confidence=0.9999"))).rows();
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
    List<Compared> rows = compare(config).rows();
    assertThat(rows).extracting(row -> row.training().learningRate()).containsOnly(1e-2);
    // The uniform plan that is configured is larger than the full allocation: neither may be.
    assertThat(plan("plan-uniform.1.json").parameters()).isEqualTo(12_000);
    assertThat(plan("plan-single.1.json").parameters()).isEqualTo(11_840);
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
    compare(config.with(List.of("compare.learning-rates=[1e-2, 1e-9]")));
    assertThat(finished("finetune")).isEqualTo(before);
    // But what was trained by another plan is, though the name of its file is the same.
    String changed = "c.uniform.1.lr-0.01";
    Map<String, String> evaluated = finished("evaluate");
    Path trained = output.resolve("runs/" + changed + "/plan.json");
    Files.copy(
        output.resolve("runs/c.single.1.lr-0.01/plan.json"),
        trained,
        StandardCopyOption.REPLACE_EXISTING);
    compare(config.with(List.of("compare.learning-rates=[1e-2, 1e-9]")));
    assertThat(finished("finetune"))
        .hasSameSizeAs(before)
        .allSatisfy(
            (run, at) -> assertThat(at.equals(before.get(run))).isEqualTo(!run.equals(changed)));
    assertThat(finished("evaluate"))
        .allSatisfy(
            (run, at) -> assertThat(at.equals(evaluated.get(run))).isEqualTo(!run.equals(changed)));
    assertThat(plan("../" + changed + "/plan.json").strategy()).isEqualTo("uniform");
    // Further seeds train with the rate that the first found.
    compare(config.with(List.of("compare.seeds=[1, 2]", "compare.tuning-seeds=1")));
    assertThat(finished("finetune").keySet())
        .filteredOn(run -> run.contains(".2."))
        .containsExactly("c.single.2.lr-0.01", "c.uniform.2.lr-0.01");
  }

  @Test
  void aStrategyWithoutAPlanWithinTheOnlyBudgetIsLeftOut() throws IOException {
    GuilomoConfig config =
        config("compare.strategies=[uniform, single, mola-2-4-6-8]", "compare.seeds=[1]");
    List<Compared> rows = compare(config.with(List.of("allocation.budget.parameters=6000"))).rows();
    assertThat(rows).extracting(Compared::strategy).containsOnly("uniform", "single");
    assertThat(messages)
        .filteredOn(line -> line.endsWith(": not compared with this budget"))
        .singleElement()
        .asString()
        .startsWith("mola-2-4-6-8 has no plan within 6,000 parameters, its smallest has ");

    assertThatThrownBy(() -> compare(config.with(List.of("allocation.budget.parameters=1"))))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot compare uniform, single, mola-2-4-6-8: none has a plan within the budget, and"
                + " the smallest has 1760 parameters; set allocation.budget.parameters to at least"
                + " as many");
  }

  @Test
  void whatFilesThatHaveChangedWereUsedForIsDoneAgain() throws IOException {
    GuilomoConfig config =
        config("compare.strategies=[guilomo, uniform]", "compare.seeds=[1]")
            .with(List.of("allocation.budget.parameters=6000"));
    compare(config);
    Map<String, String> allocated = finished("allocate");
    Map<String, String> tuned = finished("finetune");
    Map<String, String> evaluated = finished("evaluate");
    messages.clear();
    compare(config);
    assertThat(finished("evaluate")).isEqualTo(evaluated);

    change(config.evaluate().data());
    compare(config);
    assertThat(finished("allocate")).isEqualTo(allocated);
    assertThat(finished("finetune")).isEqualTo(tuned);
    assertThat(finished("evaluate").values()).doesNotContainAnyElementsOf(evaluated.values());
    assertThat(messages)
        .filteredOn(line -> line.contains(" again"))
        .containsExactly(
            "evaluate of run c.guilomo.1 is done again: the files of evaluate.data have changed since",
            "evaluate of run c.uniform.1 is done again: the files of evaluate.data have changed since");

    messages.clear();
    change(config.data().train());
    compare(config);
    assertThat(messages)
        .filteredOn(line -> line.contains(" again"))
        .containsExactly(
            "allocate of run c.guilomo.1 is done again: the files of data.train have changed since",
            "finetune of run c.guilomo.1 is done again: the files of data.train have changed since",
            "finetune of run c.uniform.1 is done again: the files of data.train have changed since");
    assertThat(finished("allocate").values()).doesNotContainAnyElementsOf(allocated.values());
    assertThat(finished("finetune").values()).doesNotContainAnyElementsOf(tuned.values());

    // What has finished needs its files no more; that of an earlier release did not keep theirs.
    tuned = finished("finetune");
    Files.delete(Path.of(config.data().train()));
    Files.delete(output.resolve("runs/c.uniform.1/inputs-finetune.json"));
    compare(config);
    assertThat(finished("finetune")).isEqualTo(tuned);
  }

  private static void change(String file) throws IOException {
    Files.setLastModifiedTime(Path.of(file), FileTime.fromMillis(1_000_000));
  }

  @Test
  void strategiesShareWhatTheyMeasureAndItsCost() throws IOException {
    List<Compared> rows =
        compare(config("compare.strategies=[usage, svd, uniform]", "compare.seeds=[1]")).rows();
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
}
