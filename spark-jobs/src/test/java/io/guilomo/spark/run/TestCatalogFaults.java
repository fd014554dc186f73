package io.guilomo.spark.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.OutputConfig;
import io.guilomo.model.UserException;
import io.guilomo.spark.catalog.Lake;
import io.guilomo.spark.catalog.Publications;
import io.guilomo.spark.catalog.UnpublishedException;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.PlanExpertsTable;
import io.guilomo.spark.table.PlanModulesTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.SqlViews;
import io.guilomo.spark.table.Table;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A user's catalog that dies while tables are published. */
class TestCatalogFaults extends OnResumedJobs {

  private static final String FAILED =
      "Cannot publish table plan_experts of run r to lake.faults: Connection refused; the Parquet"
          + " tables are complete, and deploy/guilomo publish-tables with the same configuration and"
          + " --set run.id=r publishes them";

  @AfterEach
  void revive() {
    Lake.dieAt("");
  }

  @Test
  void aCatalogThatDiesLosesNothing() throws IOException {
    Lake.dieAt(PlanExpertsTable.INSTANCE.name());
    JobContext context = context();
    AllocateJob.Result found = new AllocateJob(context, false).run();
    assertThat(jobs.messages()).endsWith("warning: " + FAILED);
    assertThatThrownBy(() -> context.publications().finish())
        .isInstanceOf(UnpublishedException.class)
        .hasMessage(FAILED)
        .hasNoCause();
    OutputConfig output = context.config().output();
    assertThat(jobs.status("r")).containsExactly("SUCCEEDED");
    assertThat(Lake.published(output, PlanModulesTable.INSTANCE))
        .isEqualTo(Lake.expected(output, PlanModulesTable.INSTANCE));
    assertThat(Lake.published(output, RunsTable.INSTANCE)).isEmpty();
    List<String> metrics = Lake.expected(output, MetricsTable.INSTANCE);

    Lake.dieAt("");
    long start = System.nanoTime();
    new Publications(Lake.session(), output, line -> {}).publish("r");
    System.out.printf(
        "fault: catalog away: publish-tables, ended in %.1f s%n",
        (System.nanoTime() - start) / 1e9);
    assertSame(output);
    assertThat(Lake.published(output, MetricsTable.INSTANCE)).isEqualTo(metrics);

    jobs.messages().clear();
    start = System.nanoTime();
    AllocateJob.Result again = new AllocateJob(context(), false).run();
    ResumedJobs.report("catalog away", start);
    assertThat(jobs.messages())
        .contains("resuming after round 3 of 3", "tables of run r published to lake.faults");
    assertThat(again.plan()).isEqualTo(found.plan());
    assertSame(output);
    assertThat(output(context).resolve("_ended")).exists();
  }

  @Test
  void aCatalogThatIsNotThereStopsAJobBeforeItWorks() {
    assertThatThrownBy(() -> new AllocateJob(context("output.catalog=nowhere.faults"), false).run())
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("Cannot publish iceberg tables to nowhere.faults: add --conf ");
    assertThat(output.resolve("tables")).doesNotExist();
  }

  private static void assertSame(OutputConfig output) {
    for (Table<?> table : SqlViews.TABLES) {
      assertThat(Lake.published(output, table))
          .as(table.name())
          .isEqualTo(Lake.expected(output, table));
    }
    assertThat(Lake.published(output, GsvHistoryTable.INSTANCE)).isNotEmpty();
  }

  private java.nio.file.Path output(JobContext context) {
    return java.nio.file.Path.of(context.config().output().dir(), "runs/r/checkpoints/allocate");
  }

  private JobContext context(String... overrides) {
    return new JobContext(
        Lake.session(),
        jobs.config("r", "output.tables=iceberg", "output.catalog=lake.faults")
            .with(List.of(overrides)),
        jobs.listener(Integer.MAX_VALUE));
  }
}
