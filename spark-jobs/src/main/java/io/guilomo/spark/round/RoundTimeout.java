package io.guilomo.spark.round;

import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkJobInfo;
import org.apache.spark.SparkStageInfo;
import org.apache.spark.SparkStatusTracker;

/**
 * Cancels Spark jobs of one thread that take too long: Spark does not see an executor that hangs as
 * failed.
 */
public final class RoundTimeout implements AutoCloseable {

  private final SparkContext spark;
  private final String what;
  private final long seconds;
  private final String group = "guilomo-" + UUID.randomUUID();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private volatile String missing;

  /**
   * @param what names the work in messages
   * @param seconds it may take; 0: no limit
   */
  public RoundTimeout(SparkContext spark, String what, long seconds) {
    this.spark = spark;
    this.what = what;
    this.seconds = seconds;
  }

  /**
   * Runs the work on this thread.
   *
   * @throws IllegalStateException if it was not done in time
   */
  public void run(Runnable work) {
    if (seconds > 0) {
      timer.schedule(this::giveUp, seconds, TimeUnit.SECONDS);
    }
    spark.setJobGroup(group, what, true);
    try {
      work.run();
    } catch (Exception e) { // Scala throws Spark's checked exceptions undeclared.
      if (missing != null) {
        throw new IllegalStateException(
            String.format(
                "Cannot finish %s in %d s (cluster.round-timeout-seconds): %s did not answer",
                what, seconds, missing),
            e);
      }
      throw e;
    } finally {
      spark.clearJobGroup();
    }
  }

  private void giveUp() {
    missing = missing();
    spark.cancelJobGroup(group);
  }

  /** Tasks that are not done, in words; Spark may learn of done ones some seconds late. */
  private String missing() {
    SparkStatusTracker tracker = spark.statusTracker();
    int tasks = 0;
    int done = 0;
    for (int job : tracker.getJobIdsForGroup(group)) {
      SparkJobInfo info = tracker.getJobInfo(job).getOrElse(() -> null);
      for (int stage : info == null ? new int[0] : info.stageIds()) {
        SparkStageInfo running = tracker.getStageInfo(stage).getOrElse(() -> null);
        if (running != null && running.submissionTime() > 0) {
          tasks += running.numTasks();
          done += running.numCompletedTasks();
        }
      }
    }
    return tasks == done ? "Spark" : String.format("%d of %d workers", tasks - done, tasks);
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
