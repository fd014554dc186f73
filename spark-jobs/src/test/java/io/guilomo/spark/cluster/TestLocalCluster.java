package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.cluster.PackagedJobs.Ended;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.TableReader;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Executors that are processes of their own, beside threads of one. */
@Tag("slow")
class TestLocalCluster {

  @TempDir private Path directory;

  @Test
  void twoProcessesLearnThePlanOfTwoThreads() throws Exception {
    PackagedJobs jobs = new PackagedJobs(directory, "local-cluster[2,1,1024]", List.of());
    Ended ended = jobs.run("allocate", "processes");
    assertThat(ended.status()).as(ended.err()).isZero();
    assertThat(ended.err()).contains("search: round 4 of 4");

    jobs.allocateInThreads("threads");
    Path runs = jobs.output().resolve("runs");
    assertThat(runs.resolve("processes/plan.json"))
        .hasSameTextualContentAs(runs.resolve("threads/plan.json"));
    // Not the choices alone: every entry of every vector after every round.
    TableReader tables = new TableReader(SharedSparkSession.session(), jobs.output().toString());
    var history = tables.read(GsvHistoryTable.INSTANCE, "processes").drop("run_id");
    var expected = tables.read(GsvHistoryTable.INSTANCE, "threads").drop("run_id");
    assertThat(history.count()).isEqualTo(expected.count()).isPositive();
    assertThat(history.exceptAll(expected).collectAsList()).isEmpty();
  }
}
