package io.guilomo.spark.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Comparisons of routings and sharings. */
class TestComparedCombinations extends SmallComparison {

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
    CompareJob.Result result = compare(config);
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
                        "compare.strategies=[uniform, svd]", "compare.sharings=[none, shared-a]")))
        .hasMessage(
            "Cannot plan with strategy svd for lora-moe.sharing=shared-a: it weighs a rank by its"
                + " parameters, which would depend on the ranks of other experts; choose another"
                + " strategy, or sharing none");
    assertThatThrownBy(
            () ->
                compare(
                    config(
                        "compare.strategies=[uniform, file]", "compare.routings=[top-k, dense]")))
        .hasMessage(
            "Cannot compare strategy file at several routings or sharings: the plan in a file is for"
                + " one of each; leave the strategy out, or give compare.routings and"
                + " compare.sharings one value each");
    assertThat(output.resolve("tables")).doesNotExist();
  }
}
