package io.guilomo.spark.preflight;

import io.guilomo.model.UserException;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.preflight.Check.Status;
import io.guilomo.spark.progress.ProgressListener;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;

/**
 * The quick checks of {@code doctor}, before a job loads its model everywhere: versions, libraries,
 * their speed, and whether every executor can read the model. Data and memory are checked by the
 * job, which knows more about them.
 */
public final class StartChecks {

  private static final int SECONDS = 30;

  /** Applications and models that have been looked at: the jobs of a comparison share both. */
  private static final Set<String> DONE = ConcurrentHashMap.newKeySet();

  private StartChecks() {}

  /**
   * Refuses what cannot work, and warns of what will be slow.
   *
   * @throws UserException with the reason that the first such process gives
   */
  public static void run(JobContext context) {
    SparkContext spark = context.sparkContext();
    String model = context.config().model().path();
    String done = spark.applicationId() + " " + model;
    if (DONE.contains(done)) {
      return;
    }
    ClusterChecks cluster = ClusterChecks.quick(spark, model, SECONDS);
    report(cluster.checks(), cluster.executors() > 0, context.progress());
    if (cluster.executors() > 0) {
      DONE.add(done);
    }
  }

  /**
   * @param answered whether any executor has; on a busy cluster they may start later
   */
  static void report(List<Check> checks, boolean answered, ProgressListener progress) {
    Optional<Check> refused =
        checks.stream()
            .filter(check -> check.status() == Status.CANNOT)
            .filter(check -> answered || !check.name().equals(ClusterChecks.EXECUTORS))
            .findFirst();
    if (refused.isPresent()) {
      throw new UserException(refusal(refused.get()));
    }
    for (Check check : checks) {
      if (check.status() != Status.OK) {
        progress.message("warning: " + check.name() + ": " + check.text());
      }
    }
  }

  /** A reason of the driver as it is, one of an executor with its name. */
  private static String refusal(Check check) {
    int process = check.name().indexOf(", executor ");
    return process < 0
        ? check.text()
        : "Cannot run on %s: %s".formatted(check.name().substring(process + 2), check.text());
  }
}
