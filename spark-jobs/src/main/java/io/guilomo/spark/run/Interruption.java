package io.guilomo.spark.run;

import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.table.JobRun;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Tells the user how to go on with a job, if it is interrupted before this is closed. Of a job that
 * runs others, it is the only one that is named.
 */
final class Interruption implements AutoCloseable {

  /** Jobs that keep checkpoints. */
  private static final List<String> TRAINING = List.of(JobRun.ALLOCATE, JobRun.FINETUNE);

  private static final AtomicReference<Thread> OUTERMOST = new AtomicReference<>();

  private final Thread hook;

  Interruption(JobContext context, String job, String runId) {
    int every = context.config().checkpoint().everyRounds();
    boolean resumes = TRAINING.contains(job) && every > 0;
    this.hook = new Thread(() -> context.message(line(job, runId, resumes)), "interruption");
    if (!OUTERMOST.compareAndSet(null, hook)) {
      return;
    }
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending already.
    }
  }

  /**
   * @param resumes whether the job goes on from its newest checkpoint
   */
  static String line(String job, String runId, boolean resumes) {
    return String.format(
        Locale.ROOT,
        "interrupted: the same %s with --set run.id=%s %s",
        job,
        runId,
        job.equals(JobRun.COMPARE)
            ? "does only what is not done yet"
            : resumes
                ? "resumes from its newest checkpoint, if it has written one"
                : "starts over, as it has no checkpoints");
  }

  @Override
  public void close() {
    if (!OUTERMOST.compareAndSet(hook, null)) {
      return;
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending, and the hook has run.
    }
  }
}
