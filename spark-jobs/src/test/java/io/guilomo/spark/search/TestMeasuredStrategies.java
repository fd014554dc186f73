package io.guilomo.spark.search;

import static io.guilomo.spark.search.SmallSearch.EXPERTS;
import static io.guilomo.spark.search.SmallSearch.RANKS;
import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.CandidateMeasurements;
import io.guilomo.plan.CandidateMeasurementsParser;
import io.guilomo.plan.ModuleMeasurement;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole job with the strategies that read their plans off a training, or off the weights. */
class TestMeasuredStrategies {

  private static final long BUDGET = 30_000;

  @TempDir private Path output;
  private final List<String> messages = new ArrayList<>();

  @Test
  void allShareOneTraining() throws IOException {
    List<AllocationPlan> plans = new ArrayList<>();
    for (String strategy : List.of("usage", "svd", "marginal", "fisher")) {
      AllocationPlan plan =
          run(strategy, strategy, "allocation.budget.parameters=" + BUDGET).plan();
      assertThat(plan.strategy()).isEqualTo(strategy);
      // The dearest entry is a third expert of the widest module.
      assertThat(plan.parameters()).isBetween(BUDGET - 408, BUDGET);
      assertThat(plan.backboneDigest()).isNotBlank();
      plans.add(plan);
      assertThat(steps(strategy)).containsExactly(5.0);
      assertThat(output.resolve("runs/" + strategy + "/report.html"))
          .content()
          .contains("Read off a short training of all candidates with seed 42");
    }
    assertThat(plans.stream().map(AllocationPlan::moduleExperts).distinct()).hasSize(4);
    assertThat(messages).filteredOn(line -> line.contains("measurements of a training")).hasSize(3);
    try (Stream<Path> kept = Files.list(output.resolve("measurements"))) {
      assertThat(kept.filter(file -> file.toString().endsWith(".json"))).hasSize(1);
    }
    measuredSomething(
        CandidateMeasurementsParser.fromJson(
            "the file", Files.readString(output.resolve("runs/fisher/measurements.json"))));

    // So is what a query finds, though its records are the same.
    String[] asked = {
      "allocation.budget.parameters=" + BUDGET,
      "data.train=",
      "data.query=SELECT * FROM json.`%s`".formatted(output.resolve("train.jsonl"))
    };
    AllocationPlan first = run("asked", "svd", asked).plan();
    assertThat(first.moduleExperts()).isEqualTo(plans.get(1).moduleExperts());
    assertThat(messages).filteredOn(line -> line.contains("measurements of a training")).hasSize(3);
    run("again", "svd", asked);
    assertThat(messages).filteredOn(line -> line.contains("measurements of a training")).hasSize(4);

    // Another seed is another training.
    run("other", "svd", "allocation.budget.parameters=" + BUDGET, "run.seed=7");
    assertThat(messages).filteredOn(line -> line.contains("measurements of a training")).hasSize(4);
  }

  @Test
  void anAttemptThatFindsWhatTheLastMeasuredKeepsItsMetrics() throws IOException {
    String[] settings = {
      "allocation.strategy=svd",
      "allocation.budget.parameters=" + BUDGET,
      "checkpoint.every-rounds=0"
    };
    Messages dying =
        new Messages(messages) {
          @Override
          public void message(String line) {
            if (line.startsWith("plan written to ")) {
              throw new IllegalStateException("died");
            }
            super.message(line);
          }
        };
    assertThatThrownBy(() -> new SmallSearch(output, dying).run("r", settings)).hasMessage("died");
    List<String> before = metrics("r");
    assertThat(before).anyMatch(row -> row.contains("loss"));
    new SmallSearch(output, new Messages(messages)).run("r", settings);
    assertThat(messages).filteredOn(line -> line.contains("measurements of a training")).hasSize(1);
    assertThat(metrics("r")).isEqualTo(before);

    // Metrics of something else give way.
    run("r", "guilomo");
    run("r", "svd", settings);
    assertThat(metrics("r")).hasSize(2).anyMatch(row -> row.contains("search_steps"));
    List<String> found = metrics("r");
    run("r", "usage", settings);
    assertThat(metrics("r")).isEqualTo(found);
  }

  private List<String> metrics(String runId) {
    return new TableReader(SharedSparkSession.session(), output.toString())
        .read(MetricsTable.INSTANCE, runId).collectAsList().stream()
            .map(Row::toString)
            .sorted()
            .toList();
  }

  private static void measuredSomething(CandidateMeasurements measured) {
    assertThat(measured.steps()).isEqualTo(5);
    assertThat(measured.modules()).hasSize(7 * 5);
    for (ModuleMeasurement module : measured.modules()) {
      assertThat(module.experts()).hasSize(EXPERTS);
      // Two slots of each token.
      assertThat(module.experts()).extracting(ModuleMeasurement.Expert::routedTokens).isNotEmpty();
      double sum = module.experts().stream().mapToDouble(e -> e.gradient()).sum();
      double size = module.experts().stream().mapToDouble(e -> Math.abs(e.gradient())).sum();
      assertThat(size).isPositive();
      assertThat(Math.abs(sum)).as("a shift of all logits changes nothing").isLessThan(1e-3 * size);
      assertThat(module.experts())
          .allSatisfy(
              expert -> {
                assertThat(expert.energies()).hasSize(RANKS);
                assertThat(Arrays.stream(expert.rankSquares()).sum()).isPositive();
              });
      assertThat(module.experts().stream().mapToDouble(e -> e.energies()[0]).sum()).isPositive();
    }
  }

  @Test
  void alphaLoraReadsTheWeightsAlone() throws IOException {
    AllocationPlan plan = run("alpha", "alphalora", "data.train=", "allocation.experts=4").plan();
    assertThat(plan.totalExperts()).isEqualTo(7 * 5 * 4);
    assertThat(plan.modules())
        .allSatisfy(
            own ->
                assertThat(own.experts())
                    .hasSameSizeAs(plan.modules().get(7 * own.module().layer()).experts()));
    assertThat(output.resolve("runs/alpha/report.html"))
        .content()
        .contains("Read off the spectra of the frozen weights");
  }

  @Test
  void whatCannotBePlannedIsRefusedBeforeTheTraining() {
    assertThatThrownBy(() -> run("none", "svd"))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot plan with strategy svd without a budget: set"
                + " guilomo.allocation.budget.parameters");
    assertThatThrownBy(() -> run("small", "usage", "allocation.budget.parameters=17119"))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot keep strategy usage within 17119 parameters: its smallest plan has 17120");
    assertThat(messages).noneMatch(line -> line.contains("data:"));
  }

  private List<Double> steps(String runId) {
    return new TableReader(SharedSparkSession.session(), output.toString())
            .read(MetricsTable.INSTANCE, runId)
            .filter(col("name").equalTo("search_steps"))
            .collectAsList()
            .stream()
            .map(row -> row.<Double>getAs("value"))
            .toList();
  }

  private AllocateJob.Result run(String runId, String strategy, String... overrides)
      throws IOException {
    List<String> all = new ArrayList<>(List.of(overrides));
    all.add("allocation.strategy=" + strategy);
    return new SmallSearch(output, new Messages(messages)).run(runId, all.toArray(String[]::new));
  }
}
