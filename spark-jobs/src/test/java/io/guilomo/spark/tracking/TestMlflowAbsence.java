package io.guilomo.spark.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What becomes of what is recorded while a server is away, slow or overwhelmed. */
class TestMlflowAbsence extends TrackedOnStandIn {

  @Test
  void aServerThatComesBackGetsWhatWaited() throws Exception {
    JobTracker job = begin("allocate", false);
    assertThat(next()).startsWith("MLflow has this job as ");
    server.stop();
    LongStream.rangeClosed(1, 50).forEach(round -> round(job, round));
    assertThat(next())
        .matches(
            "warning: MLflow at http://127\\.0\\.0\\.1:\\d+ does not answer \\(.+\\); the job goes on,"
                + " and is recorded there when it comes back");
    server.start();
    LongStream.rangeClosed(51, 60).forEach(round -> round(job, round));
    job.end(SUCCESS);
    MlflowStore.Run run = server.run("r1", "allocate");
    assertThat(run.status).isEqualTo("FINISHED");
    assertThat(run.steps("train/loss")).containsExactlyElementsOf(rounds(1, 60));
    assertThat(messages).isEmpty();
  }

  @Test
  void aServerThatFailsForAMomentIsAskedAgain() {
    server.fail(2);
    JobTracker job = begin("allocate", false);
    round(job, 1);
    job.end(SUCCESS);
    assertThat(server.run("r1", "allocate").steps("train/loss")).containsExactly(1L);
    assertThat(messages).noneMatch(line -> line.startsWith("warning"));
  }

  @Test
  void aServerThatIsNeverThereIsToldOfOnce() {
    silence = SHORT;
    server.stop();
    long start = System.nanoTime();
    JobTracker job = begin("allocate", false);
    round(job, 1);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(300));
    job.end(SUCCESS);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    assertThat(messages)
        .singleElement()
        .asString()
        .startsWith("warning: MLflow at " + server.uri() + " does not answer (");
  }

  @Test
  void aServerThatDoesNotAnswerAtTheEndIsGivenUp() throws Exception {
    silence = SHORT;
    JobTracker job = begin("allocate", false);
    assertThat(next()).startsWith("MLflow has this job as ");
    server.hold();
    for (long number = 1; number <= 5; number++) {
      round(job, number);
    }
    long start = System.nanoTime();
    job.end(SUCCESS);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    assertThat(next())
        .matches(
            "warning: MLflow at .* lacks 5 values of metrics, 1 files, 1 runs' beginnings and ends"
                + " of this job: it does not answer \\(no answer in time\\)");
    assertThat(messages).isEmpty();
    server.release();
  }

  @Test
  void whatTheQueueDoesNotHoldIsCounted() throws Exception {
    JobTracker job = begin("allocate", false);
    assertThat(next()).startsWith("MLflow has this job as ");
    server.hold();
    LongStream.rangeClosed(1, 130).forEach(round -> round(job, round));
    server.release();
    job.end(SUCCESS);
    assertThat(server.run("r1", "allocate").steps("train/loss"))
        .containsExactlyElementsOf(rounds(1, 100));
    assertThat(messages)
        .containsExactly(
            "warning: MLflow at " + server.uri() + " lacks 30 values of metrics of this job");
  }

  @Test
  void aRunWhoseAnswerIsLostIsNotMadeTwice() {
    begin("allocate", false).end(SUCCESS);
    // Of the experiment, the search and the new run.
    server.loseAnswers(3);
    begin("finetune", false).end(SUCCESS);
    assertThat(server.run("r1", "finetune").status).isEqualTo("FINISHED");
  }
}
