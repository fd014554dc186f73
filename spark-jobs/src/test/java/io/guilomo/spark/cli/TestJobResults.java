package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.ModulePlan;
import io.guilomo.spark.evaluate.PredictJob;
import io.guilomo.spark.round.ValidationResult;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.search.SearchRun;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TestJobResults {

  private static final LinearModule QUERY = new LinearModule(0, "query", 4, 4);
  private static final LinearModule KEY = new LinearModule(0, "key", 4, 4);

  @Test
  void saysWhatTheSearchHasChanged() {
    AllocationPlan initial = plan(module(QUERY, 2, 1, 2, 3), module(KEY, 2, 4, 4, 4));
    // One expert more, which had a rank already; another rank of an expert that is in the plan, and
    // of one that is not.
    AllocationPlan learned = plan(module(QUERY, 3, 1, 2, 3), module(KEY, 2, 5, 4, 1));
    String text =
        JobResults.text(
            new AllocateJob.Result(
                "run",
                learned,
                List.of(
                    new SearchRun.Outcome(
                        initial,
                        learned,
                        new ValidationResult(1.79175, 0.1666, 1200),
                        new ValidationResult(0.5, 0.8333, 1200),
                        "digest"))));
    assertThat(text)
        .startsWith(AllocationPlanPrinter.print(learned))
        .endsWith(
            """
            the search changed the number of experts of 1 of 2 modules, and 2 of 6 ranks
            validation loss 1.7918 before, 0.5000 after; accuracy 16.7 % before, 83.3 % after (1,200 labels)
            """);
  }

  @Test
  void saysHowManyRowsHaveNoPrediction() {
    assertThat(JobResults.text(new PredictJob.Result("p", 1200, 0, 0)))
        .isEqualTo("1,200 rows of run p in table predictions, 0 without a prediction\n");
    assertThat(JobResults.text(new PredictJob.Result("p", 1200, 30, 20)))
        .isEqualTo(
            "1,200 rows of run p in table predictions, 30 without a prediction, 20 of them with a"
                + " response that has no answer\n");
  }

  private static AllocationPlan plan(ModulePlan... modules) {
    return new AllocationPlan("guilomo", 42, RoutingMethod.topK(2), 16, false, List.of(modules));
  }

  private static ModulePlan module(LinearModule module, int experts, Integer... ranks) {
    return new ModulePlan(
        module,
        Stream.of(ranks).limit(experts).map(ExpertPlan::ofRank).toList(),
        Stream.of(ranks).skip(experts).toList());
  }
}
