package io.guilomo.spark.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Searches of ten rounds of one step, which end when their plans have stayed as they are. */
class TestSearchPatience {

  private static final String[] ROUNDS = {
    "search.epochs=2",
    "cluster.averaging-frequency=1",
    "checkpoint.every-rounds=1",
    "search.outer-gradient=first-order",
    "search.patience=2"
  };

  @TempDir private Path output;
  private final List<String> messages = new ArrayList<>();

  @Test
  void choicesThatStayEndASearchAfterItsWarmUp() throws IOException {
    endsAndResumes(3, 0.01, "search.gsv-learning-rate=1e-9");
  }

  @Test
  void distributionsMeetTheBudgetFirst() throws IOException {
    endsAndResumes(
        7,
        0.99,
        "search.estimator=expected",
        "allocation.budget.parameters=30000",
        // Every plan is the same.
        "search.plan-tolerance=0.99");
  }

  /** It stops after as many steps, also if it goes on after it was stopped in between. */
  private void endsAndResumes(int steps, double tolerance, String... overrides) throws IOException {
    AllocateJob.Result whole = run("whole", Integer.MAX_VALUE, overrides);
    assertThat(messages)
        .contains(
            "the search with seed 42 stopped early, after %d of 10 steps: in 2 rounds its plan changed by no more than %.1f %% of its ranks"
                .formatted(steps, 100 * tolerance))
        .anyMatch(line -> line.contains(" after " + steps + " steps"));
    assertThat(whole.searches().get(0).after().loss())
        .isLessThan(whole.searches().get(0).before().loss());
    assertThat(rows("whole", MetricsTable.INSTANCE))
        .filteredOn(row -> row.contains(MetricsTable.SPARED_STEPS))
        .hasSize(1)
        .first()
        .asString()
        .contains(MetricsTable.SPARED_STEPS + "," + (10.0 - steps));
    assertThat(output.resolve("runs/whole/report.html"))
        .content()
        .contains(
            "Stopped early, as the plan stayed as it was: seed 42 after %d of 10 steps."
                .formatted(steps),
            "ranks that changed");

    // Nothing but the end is another.
    run(
        "long",
        Integer.MAX_VALUE,
        Stream.concat(Stream.of(overrides), Stream.of("search.patience=0")).toArray(String[]::new));
    assertThat(rows("long", GsvHistoryTable.INSTANCE))
        .hasSizeGreaterThan(rows("whole", GsvHistoryTable.INSTANCE).size())
        .containsAll(rows("whole", GsvHistoryTable.INSTANCE));

    assertThatThrownBy(() -> run("stopped", steps - 2, overrides)).hasMessage("stopped");
    messages.clear();
    AllocateJob.Result resumed = run("stopped", Integer.MAX_VALUE, overrides);
    assertThat(messages).anyMatch(line -> line.startsWith("resuming after round "));
    assertThat(resumed.plan()).isEqualTo(whole.plan());
    assertThat(resumed.searches()).isEqualTo(whole.searches());
    for (Table<?> table : List.of(GsvHistoryTable.INSTANCE, MetricsTable.INSTANCE)) {
      assertThat(rows("stopped", table)).isEqualTo(rows("whole", table)).isNotEmpty();
    }
  }

  private AllocateJob.Result run(String runId, int dyingAfter, String... overrides)
      throws IOException {
    ProgressListener listener =
        new ProgressListener() {
          private int rounds;

          @Override
          public void begin(String task, long count) {}

          @Override
          public void round(Map<String, Double> values) {
            assertThat(values).containsKey("plan change");
            if (rounds++ == dyingAfter) {
              throw new IllegalStateException("stopped");
            }
          }

          @Override
          public void message(String line) {
            messages.add(line);
          }

          @Override
          public void end() {}
        };
    return new SmallSearch(output, listener)
        .run(runId, Stream.of(ROUNDS, overrides).flatMap(Stream::of).toArray(String[]::new));
  }

  private List<String> rows(String runId, Table<?> table) {
    return new TableReader(SharedSparkSession.session(), output.toString())
        .read(table, runId).drop("at", "run_id").collectAsList().stream()
            .map(Row::toString)
            // No two searches take as long.
            .filter(row -> !row.contains(MetricsTable.SEARCH_SECONDS))
            .sorted()
            .toList();
  }
}
