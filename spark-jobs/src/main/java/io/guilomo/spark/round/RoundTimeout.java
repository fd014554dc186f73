package io.guilomo.spark.round;

import java.util.ArrayList;
import java.util.List;
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
 * failed. The time in which none of their tasks has started because those of others run does not
 * count: searches of a run, and all jobs of a session, share its executors.
 */
public final class RoundTimeout implements AutoCloseable {

  /** Executors' heartbeats, every 10 s, bring it up to date. */
  private static final long STATUS_DELAY_MILLIS = 20_000;

  private final SparkContext spark;
  private final String what;
  private final long seconds;
  private final String group = "guilomo-" + UUID.randomUUID();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private volatile String missing;
  private long since;

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
      since = System.nanoTime();
      timer.scheduleWithFixedDelay(this::watch, 1, 1, TimeUnit.SECONDS);
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

  private void watch() {
    long now = System.nanoTime();
    boolean waits;
    try {
      waits = waits();
    } catch (RuntimeException e) {
      // The timer stops at an exception, and the status store may forget a stage meanwhile.
      waits = false;
    }
    if (waits) {
      since = now;
    } else if (now - since >= TimeUnit.SECONDS.toNanos(seconds)) {
      missing = missing();
      spark.cancelJobGroup(group);
      timer.shutdown();
    }
  }

  /** Whether none of the tasks has started, and others run. */
  private boolean waits() {
    SparkStatusTracker tracker = spark.statusTracker();
    List<SparkStageInfo> own = own(tracker);
    return own.stream().noneMatch(RoundTimeout::hasStarted)
        && stages(tracker, tracker.getActiveStageIds()).stream()
            .filter(stage -> own.stream().noneMatch(mine -> mine.stageId() == stage.stageId()))
            .anyMatch(stage -> hasStarted(stage) || isNew(stage));
  }

  private static boolean hasStarted(SparkStageInfo stage) {
    return stage.numActiveTasks() + stage.numCompletedTasks() > 0;
  }

  /** Whether tasks may run that Spark's status store has not been told of. */
  private static boolean isNew(SparkStageInfo stage) {
    return System.currentTimeMillis() - stage.submissionTime() < STATUS_DELAY_MILLIS;
  }

  /** Tasks that are not done, in words; Spark may learn of done ones some seconds late. */
  private String missing() {
    List<SparkStageInfo> begun = own(spark.statusTracker());
    int tasks = begun.stream().mapToInt(SparkStageInfo::numTasks).sum();
    int done = begun.stream().mapToInt(SparkStageInfo::numCompletedTasks).sum();
    return tasks == done ? "Spark" : String.format("%d of %d workers", tasks - done, tasks);
  }

  /** The stages that have been submitted. */
  private List<SparkStageInfo> own(SparkStatusTracker tracker) {
    List<SparkStageInfo> own = new ArrayList<>();
    for (int job : tracker.getJobIdsForGroup(group)) {
      SparkJobInfo info = tracker.getJobInfo(job).getOrElse(() -> null);
      if (info != null) {
        own.addAll(stages(tracker, info.stageIds()));
      }
    }
    own.removeIf(stage -> stage.submissionTime() <= 0);
    return own;
  }

  private static List<SparkStageInfo> stages(SparkStatusTracker tracker, int[] ids) {
    List<SparkStageInfo> stages = new ArrayList<>();
    for (int id : ids) {
      SparkStageInfo stage = tracker.getStageInfo(id).getOrElse(() -> null);
      if (stage != null) {
        stages.add(stage);
      }
    }
    return stages;
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
