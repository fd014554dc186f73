package io.guilomo.spark.search;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ModulePlan;
import io.guilomo.spark.run.Messages;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Searches with {@code search.start-plan}. */
class TestStartedSearch {

  @TempDir private Path output;

  @Test
  void aSearchStartsFromThePlanOfARun() throws IOException {
    AllocationPlan plan =
        run("old", "allocation.strategy=random", "allocation.budget.parameters=30000").plan();
    for (Estimator estimator : Estimator.values()) {
      AllocateJob.Result result =
          run(
              estimator.toString(),
              "search.estimator=" + estimator,
              "search.outer-gradient=first-order",
              "search.start-plan=" + output.resolve("runs/old"));
      assertThat(result.searches().get(0).initial().modules())
          .extracting(ModulePlan::experts)
          .isEqualTo(plan.modules().stream().map(ModulePlan::experts).toList());
      assertThat(output.resolve("runs/" + estimator + "/report.html"))
          .content()
          .contains("of the plan it started from")
          .doesNotContain("random choices", "start alike");
    }
  }

  private AllocateJob.Result run(String runId, String... overrides) throws IOException {
    return new SmallSearch(output, new Messages()).run(runId, overrides);
  }
}
