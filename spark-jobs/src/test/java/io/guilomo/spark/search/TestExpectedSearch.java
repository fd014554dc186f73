package io.guilomo.spark.search;

import static io.guilomo.spark.search.SmallSearch.EXPERTS;
import static io.guilomo.spark.search.SmallSearch.MODULES;
import static io.guilomo.spark.search.SmallSearch.ROUNDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.model.Scaling;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ModulePlan;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The whole job with {@code search.estimator = expected}. */
class TestExpectedSearch {

  @TempDir private Path output;

  @Test
  void distributionsStartAlikeAndMeetTheBudget() throws IOException {
    long budget = 30_000;
    List<AllocationPlan> starts = new ArrayList<>();
    for (long seed : new long[] {1, 2}) {
      String runId = "expected-" + seed;
      AllocateJob.Result result =
          run(
              runId,
              "run.seed=" + seed,
              "search.estimator=expected",
              "search.outer-gradient=first-order",
              "lora-moe.scaling=alpha-over-sqrt-rank",
              "allocation.budget.parameters=" + budget);
      starts.add(result.searches().get(0).initial());
      assertThat(result.plan().parameters()).isBetween(budget - 408, budget);
      assertThat(result.plan().scaling().rule()).isEqualTo(Scaling.Rule.ALPHA_OVER_SQRT_RANK);
      Dataset<Row> history =
          new TableReader(SharedSparkSession.session(), output.toString())
              .read(GsvHistoryTable.INSTANCE, runId);
      assertThat(history.filter("round = 0 AND value <> 0").count()).isZero();
      assertThat(history.filter("round = " + ROUNDS + " AND value <> 0").count()).isPositive();
      assertThat(history.filter("is_argmax").count())
          .isEqualTo((long) (ROUNDS + 1) * MODULES * (1 + EXPERTS));
      assertThat(output.resolve("runs/" + runId + "/report.html"))
          .content()
          .contains("all of which start alike")
          .contains("whose median is the choice shown here")
          .doesNotContain("random choices it started from");
    }
    assertThat(starts.get(0).modules())
        .extracting(ModulePlan::experts)
        .isEqualTo(starts.get(1).modules().stream().map(ModulePlan::experts).toList());
  }

  /** Plain LoRAs, which merged checkpoints and PEFT can hold. */
  @ParameterizedTest
  @EnumSource(Estimator.class)
  void onlyRanksAreLearnedOfSingleExperts(Estimator estimator) throws IOException {
    AllocationPlan plan =
        run(
                "single-" + estimator,
                "search.estimator=" + estimator,
                "lora-moe.max-experts=1",
                "lora-moe.top-k=1",
                "allocation.budget.parameters=16000")
            .plan();
    assertThat(plan.strategy()).isEqualTo("guilomo");
    assertThat(plan.singleLora()).isTrue();
    assertThat(plan.modules())
        .hasSize(MODULES)
        .allMatch(planned -> planned.experts().size() == 1)
        .anyMatch(planned -> planned.totalRank() > 1);
    assertThat(plan.parameters()).isLessThanOrEqualTo(16_000);
  }

  @Test
  void aBudgetBelowTheSmallestPlanIsRefusedBeforeTheSearch() {
    assertThatThrownBy(
            () -> run("small", "search.estimator=expected", "allocation.budget.parameters=17119"))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot search for a plan of at most 17119 parameters: the smallest has 17120; raise"
                + " allocation.budget.parameters");
  }

  @Test
  void withoutValidationRecordsHalfOfTheTrainingRecordsAre() throws IOException {
    Messages messages = new Messages();
    new SmallSearch(output, messages)
        .run("halves", "search.estimator=expected", "data.validation=", "search.epochs=auto");
    assertThat(messages.lines())
        .anyMatch(line -> line.matches("data: 40 records: (1[4-9]|2[0-6]) to train, .*"));
  }

  @Test
  void lossIsMeasuredOverAsManyRecordsAsOtherJobsHoldOut() throws IOException {
    long all = measuredLabels("all", "0.5");
    assertThat(measuredLabels("fifth", "0.1")).isBetween(all / 10, 2 * all / 5);
    assertThat(measuredLabels("none", "0")).isEqualTo(all);
  }

  private long measuredLabels(String runId, String fraction) throws IOException {
    return run(
            runId,
            "search.estimator=expected",
            "data.validation=",
            "data.validation-fraction=" + fraction)
        .searches()
        .get(0)
        .after()
        .labels();
  }

  private AllocateJob.Result run(String runId, String... overrides) throws IOException {
    return new SmallSearch(output, new Messages()).run(runId, overrides);
  }
}
