package io.guilomo.spark.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.checkpoint.QuotaFileSystem;
import io.guilomo.spark.checkpoint.QuotaFileSystem.Quota;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.MetricsTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Checkpoints that are spoiled, and disks with no room for them. */
class TestCheckpointFaults extends OnResumedJobs {

  @Test
  void aSpoiledCheckpointIsPassedOver() throws IOException {
    AllocateJob.Result whole = jobs.allocate("whole", Integer.MAX_VALUE);
    assertThatThrownBy(() -> jobs.allocate("stopped", 2)).hasMessage("stopped after round 2");
    Path newest = output.resolve("runs/stopped/checkpoints/allocate/seed-42/round-00000002");
    Files.delete(newest.resolve(".state.safetensors.crc"));
    Files.write(newest.resolve("state.safetensors"), new byte[10]);
    jobs.messages().clear();
    long start = System.nanoTime();
    assertThat(jobs.allocate("stopped", Integer.MAX_VALUE).plan()).isEqualTo(whole.plan());
    ResumedJobs.report("truncated checkpoint", start);
    assertThat(jobs.messages())
        .contains("resuming after round 1 of 3")
        .anyMatch(
            line ->
                line.startsWith("Cannot read the checkpoint ")
                    && line.contains("state.safetensors has 10 bytes, its manifest says "));
    assertThat(jobs.values(MetricsTable.INSTANCE, "stopped"))
        .isEqualTo(jobs.values(MetricsTable.INSTANCE, "whole"));
  }

  @Test
  void aFullDiskStopsARunThatGoesOnWhenThereIsRoom() throws IOException {
    AllocateJob.Result whole = jobs.allocate("whole", Integer.MAX_VALUE);
    QuotaFileSystem.configure(SharedSparkSession.session().sparkContext().hadoopConfiguration());
    String disk = "output.dir=quota://" + output;
    AtomicReference<Quota> quota = new AtomicReference<>();
    Runnable fill = () -> quota.set(QuotaFileSystem.allow(0));
    assertThatThrownBy(
            () ->
                new AllocateJob(
                        new JobContext(
                            SharedSparkSession.session(),
                            jobs.config("full", disk),
                            jobs.listener(2, fill)),
                        true)
                    .run())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Cannot append round 3 to table metrics: No space left on device");
    assertThat(quota.get().exceeded()).isTrue();
    quota.get().close();
    jobs.messages().clear();
    long start = System.nanoTime();
    AllocateJob.Result resumed =
        new AllocateJob(
                new JobContext(
                    SharedSparkSession.session(), jobs.config("full", disk), jobs.listener(99)),
                true)
            .run();
    ResumedJobs.report("full disk", start);
    assertThat(jobs.messages()).contains("resuming after round 2 of 3");
    assertThat(resumed.searches()).isEqualTo(whole.searches());
    assertThat(jobs.values(MetricsTable.INSTANCE, "full"))
        .isEqualTo(jobs.values(MetricsTable.INSTANCE, "whole"));
  }
}
