package io.guilomo.spark.job;

import io.guilomo.model.UserException;
import io.guilomo.spark.doctor.Check;
import io.guilomo.spark.doctor.Check.Status;
import io.guilomo.spark.doctor.ClusterChecks;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;

/**
 * What {@code doctor} looks at and takes no time, before a job loads its model everywhere:
 * versions, libraries, their speed, and whether every executor can read the model. Data and memory
 * are the job's own to look at, which knows more of them.
 */
final class StartChecks {

  private static final int SECONDS = 30;

  /** Applications and models that have been looked at: the jobs of a comparison share both. */
  private static final Set<String> DONE = ConcurrentHashMap.newKeySet();

  private StartChecks() {}

  /**
   * Refuses what cannot work, and warns of what can but will be slow.
   *
   * @throws UserException with what the first process that cannot do it says
   */
  static void run(SparkContext spark, String model, ProgressListener progress) {
    String done = spark.applicationId() + " " + model;
    if (DONE.contains(done)) {
      return;
    }
    ClusterChecks cluster = ClusterChecks.quick(spark, model, SECONDS);
    report(cluster.checks(), cluster.executors() > 0, progress);
    if (cluster.executors() > 0) {
      DONE.add(done);
    }
  }

  /**
   * @param answered whether any executor has; those of a busy cluster may come later
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

  /** What the driver says, as it is; what an executor says, with its name. */
  private static String refusal(Check check) {
    int process = check.name().indexOf(", executor ");
    return process < 0
        ? check.text()
        : "Cannot run on %s: %s".formatted(check.name().substring(process + 2), check.text());
  }
}
