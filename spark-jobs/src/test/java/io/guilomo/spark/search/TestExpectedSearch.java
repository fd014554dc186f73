package io.guilomo.spark.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.model.Scaling;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ModulePlan;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole job with {@code search.estimator = expected}. */
class TestExpectedSearch {

  private static final int MODULES = 7 * 5;
  private static final int EXPERTS = 3;
  private static final int RANKS = 2;
  private static final int ROUNDS = 3;

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

  @Test
  void aBudgetBelowTheSmallestPlanIsRefusedBeforeTheSearch() {
    assertThatThrownBy(
            () -> run("small", "search.estimator=expected", "allocation.budget.parameters=17119"))
        .isInstanceOf(UserException.class)
        .hasMessage("Cannot search for a plan of at most 17119 parameters: the smallest has 17120");
  }

  private AllocateJob.Result run(String runId, String... overrides) throws IOException {
    Path data = GoldenFiles.data().resolve("scienceqa_mola_sample");
    List<String> settings =
        new ArrayList<>(
            List.of(
                "run.id=" + runId,
                "output.dir=" + output,
                "model.path=" + GoldenFiles.models().resolve("stories260K-hf"),
                "model.max-length=48",
                "data.task=multiple-choice",
                "data.train=" + head(data.resolve("train.jsonl"), 40),
                "data.validation=" + head(data.resolve("validation.jsonl"), 12),
                "data.train-on-inputs=true",
                "lora-moe.max-experts=" + EXPERTS,
                "lora-moe.max-rank=" + RANKS,
                "search.epochs=1",
                "search.batch-size=4",
                "search.warmup-steps=1",
                "cluster.workers=2",
                "cluster.threads-per-worker=1",
                "cluster.averaging-frequency=2"));
    settings.addAll(List.of(overrides));
    return new AllocateJob(
            new JobContext(
                SharedSparkSession.session(), GuilomoConfig.load(null, settings), new Silent()),
            true)
        .run();
  }

  private Path head(Path file, int lines) throws IOException {
    try (Stream<String> all = Files.lines(file)) {
      return Files.write(output.resolve(file.getFileName()), all.limit(lines).toList());
    }
  }

  private static final class Silent implements ProgressListener {

    @Override
    public void begin(String task, long count) {}

    @Override
    public void round(Map<String, Double> values) {}

    @Override
    public void message(String line) {}

    @Override
    public void end() {}
  }
}
