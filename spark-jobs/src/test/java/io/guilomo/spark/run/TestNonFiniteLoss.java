package io.guilomo.spark.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.MetricsTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Losses that are not finite stop a job before anything of them is kept. */
class TestNonFiniteLoss extends OnResumedJobs {

  @Test
  void aLossThatIsNotFiniteStopsARunThatGoesOnWithALowerRate() throws IOException {
    AllocateJob.Result whole = jobs.allocate("whole", 99, "search.epochs=2");
    assertThatThrownBy(() -> jobs.allocate("stopped", 2, "search.epochs=2"))
        .hasMessage("stopped after round 2");
    String rarely = "checkpoint.every-rounds=100";
    assertThatThrownBy(
            () ->
                jobs.allocate(
                    "stopped", 99, "search.epochs=2", "search.learning-rate=1e30", rarely))
        .hasStackTraceContaining("Cannot continue from step 4: the validation loss is ");
    assertThat(jobs.status("stopped")).containsExactly("FAILED");
    jobs.messages().clear();
    long start = System.nanoTime();
    assertThat(jobs.allocate("stopped", 99, "search.epochs=2").plan()).isEqualTo(whole.plan());
    ResumedJobs.report("loss not finite", start);
    assertThat(jobs.messages()).contains("resuming after round 2 of 5");
    assertThat(jobs.values(MetricsTable.INSTANCE, "stopped"))
        .isEqualTo(jobs.values(MetricsTable.INSTANCE, "whole"));
  }

  @ParameterizedTest
  @CsvSource({
    "2, 100, Cannot continue from step 7: the training loss is NaN",
    "1, 1, Cannot continue after 7 steps: the validation loss is NaN"
  })
  void aLossThatIsNotFiniteLeavesTheLastGoodAdapter(
      int stepsPerRound, int stepsPerValidation, String message) throws IOException {
    jobs.allocate("stopped", 99, "allocation.strategy=uniform");
    assertThatThrownBy(() -> jobs.finetune("stopped", 4)).hasMessage("stopped after round 4");
    Path run = output.resolve("runs/stopped");
    Map<Path, String> kept = contents(run.resolve("adapter"), run.resolve("adapter-last"));
    assertThat(kept).hasSizeGreaterThanOrEqualTo(4);
    assertThatThrownBy(
            () ->
                jobs.finetune(
                    "stopped",
                    99,
                    "finetune.learning-rate=1e30",
                    "finetune.validate-every-steps=" + stepsPerValidation,
                    "cluster.averaging-frequency=" + stepsPerRound))
        .hasStackTraceContaining(message);
    assertThat(jobs.status("stopped")).contains("FAILED");
    assertThat(contents(run.resolve("adapter"), run.resolve("adapter-last"))).isEqualTo(kept);
    EvaluateJob.Result scored =
        new EvaluateJob(
                new JobContext(
                    SharedSparkSession.session(),
                    jobs.config(
                        "stopped",
                        "evaluate.data=" + jobs.validation(),
                        "evaluate.methods=[choices]",
                        // One question is longer than the model.
                        "data.max-bad-fraction=0.1"),
                    jobs.listener(99)))
            .run();
    assertThat(scored.evaluations()).allMatch(row -> Double.isFinite(row.value()));
    // With the rate that it had, it ends as if nothing had happened.
    jobs.messages().clear();
    assertThat(jobs.finetune("stopped", 99).outcome().best().loss()).isFinite();
    assertThat(jobs.messages()).contains("resuming after round 3 of 5");
  }

  /** The files in some directories, by their digests. */
  private static Map<Path, String> contents(Path... directories) throws IOException {
    Map<Path, String> contents = new TreeMap<>();
    for (Path directory : directories) {
      try (Stream<Path> files = Files.list(directory)) {
        for (Path file : files.toList()) {
          contents.put(file, DigestUtils.sha256Hex(Files.readAllBytes(file)));
        }
      }
    }
    return contents;
  }
}
