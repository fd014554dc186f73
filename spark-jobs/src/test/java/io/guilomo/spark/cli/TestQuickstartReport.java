package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.metric.Interval;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.spark.compare.QuickstartJob;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.EvaluationsTable.Evaluation;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TestQuickstartReport {

  @Test
  void setsTheLearnedPlanAgainstTheUniformOne() {
    AllocationPlan learned = plan(3);
    AllocationPlan uniform = plan(2);
    String report =
        JobResults.text(
            new QuickstartJob.Result(
                new AllocateJob.Result("quickstart", learned, List.of()),
                new QuickstartJob.Trained(
                    learned, List.of(evaluation("accuracy", 0.9), evaluation("loss", 0.3))),
                new QuickstartJob.Trained(
                    uniform, List.of(evaluation("loss", 0.4), evaluation("accuracy", 0.8))),
                Optional.of(new Interval(-0.15, -0.05)),
                "/runs/quickstart/report.html"));
    assertThat(report)
        .endsWith(
            "after training, on 300 unseen records: the learned plan of %,d parameters, and the uniform plan of %,d\n"
                    .formatted(learned.parameters(), uniform.parameters())
                + "  accuracy              0.9000 [0.8000, 1.0000] and 0.8000 [0.7000, 0.9000]\n"
                + "  loss                  0.3000 [0.2000, 0.4000] and 0.4000 [0.3000, 0.5000]\n"
                + "with the learned plan the model is better than with the uniform plan: its loss is 0.0500"
                + " to 0.1500 lower on the same records, after one training each; to repeat this with"
                + " several seeds and against random plans, run deploy/guilomo compare\n"
                + "report: /runs/quickstart/report.html\n");
    assertThat(learned.parameters()).isNotEqualTo(uniform.parameters());
  }

  @Test
  void whatRecordsDoNotShowIsNotClaimed() {
    assertThat(JobResults.worth(new Interval(-0.01, 0.02)))
        .startsWith(
            "neither plan is shown to be better: the learned plan's loss differs by -0.0100 to 0.0200");
    assertThat(JobResults.worth(new Interval(0.01, 0.02)))
        .startsWith(
            "with the learned plan the model is worse than with the uniform plan: its loss is 0.0100 to"
                + " 0.0200");
  }

  private static AllocationPlan plan(int experts) {
    return new UniformAllocation(experts, 2, RoutingMethod.topK(2), 16)
        .plan(List.of(new LinearModule(0, "query", 8, 8)));
  }

  private static Evaluation evaluation(String metric, double value) {
    return new Evaluation(42, "guilomo", "test", metric, value, value - 0.1, value + 0.1, 300);
  }
}
