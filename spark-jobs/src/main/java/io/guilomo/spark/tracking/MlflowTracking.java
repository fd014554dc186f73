package io.guilomo.spark.tracking;

import io.guilomo.config.TrackingConfig;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.Table;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Consumer;

/**
 * Records jobs on an MLflow server. A job that is not part of another has a sender of its own,
 * which its parts share.
 */
final class MlflowTracking implements JobTracker {

  private static final List<String> JOBS =
      List.of(JobRun.ALLOCATE, JobRun.FINETUNE, JobRun.EVALUATE, JobRun.COMPARE);

  private final TrackingConfig config;
  private final Map<String, String> environment;
  private final Consumer<String> messages;
  private final MlflowSender.Patience patience;
  private final Deque<MlflowJob> running = new ConcurrentLinkedDeque<>();
  private volatile boolean killed;
  private final Thread hook = new Thread(this::kill, "mlflow-interruption");

  /**
   * @param environment has the credentials, if any
   * @param messages is told, from any thread, what the user should know
   */
  MlflowTracking(
      TrackingConfig config,
      Map<String, String> environment,
      Consumer<String> messages,
      MlflowSender.Patience patience) {
    this.config = config;
    this.environment = environment;
    this.messages = messages;
    this.patience = patience;
  }

  /** Whether it is a job that MLflow gets: one whose results can be compared. */
  static boolean tracks(TrackedJob job) {
    return JOBS.contains(job.name());
  }

  @Override
  public JobTracker begin(TrackedJob job) {
    if (!tracks(job)) {
      return JobTracker.none();
    }
    MlflowSender sender =
        new MlflowSender(new MlflowClient(config, environment), messages, patience);
    return new MlflowJob(this, sender, null, job).start();
  }

  /** Has the job killed on the server too if this JVM is. */
  void begun(MlflowJob job) {
    synchronized (running) {
      if (running.isEmpty()) {
        try {
          Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException e) {
          // The JVM is ending already.
        }
      }
      running.addFirst(job);
    }
  }

  void ended(MlflowJob job) {
    synchronized (running) {
      running.remove(job);
      if (running.isEmpty()) {
        try {
          Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
          // The JVM is ending, and the hook has nothing to do.
        }
      }
    }
  }

  /** Whether the JVM is ending, and all jobs with it. */
  boolean isKilled() {
    if (killed) {
      return true;
    }
    Thread nothing = new Thread(() -> {});
    try {
      Runtime.getRuntime().addShutdownHook(nothing);
      Runtime.getRuntime().removeShutdownHook(nothing);
      return false;
    } catch (IllegalStateException e) {
      return true;
    }
  }

  /** Ends all jobs that run as ones that somebody has killed. */
  void kill() {
    killed = true;
    running.forEach(MlflowJob::kill);
    running.stream().map(MlflowJob::sender).distinct().forEach(MlflowSender::finish);
  }

  @Override
  public <R> void wrote(Table<R> table, List<R> rows) {}

  @Override
  public void end(Ending ending) {}
}
