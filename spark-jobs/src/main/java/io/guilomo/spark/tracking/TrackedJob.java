package io.guilomo.spark.tracking;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.table.JobRun;
import java.time.Instant;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * A job that is to be recorded.
 *
 * @param name of the job: {@link JobRun#ALLOCATE}, {@link JobRun#FINETUNE}, …
 * @param continues whether it goes on with what an attempt left that did not succeed
 * @param directory of the run's files
 * @param hadoop how that is reached
 */
public record TrackedJob(
    String runId,
    String name,
    boolean continues,
    Instant startedAt,
    Labels labels,
    GuilomoConfig config,
    Path directory,
    Configuration hadoop) {

  /**
   * What runs are looked for by.
   *
   * @param strategy of the plan
   * @param version of this software
   * @param application Spark's id of it
   */
  public record Labels(String strategy, String version, String application) {}

  /** Whether trainings with several seeds measure the same things. */
  boolean hasSeveralSeeds() {
    return name.equals(JobRun.ALLOCATE) && config.search().seeds().size() > 1
        || name.equals(JobRun.FINETUNE) && config.finetune().seeds().size() > 1;
  }

  /** Whether the run's {@code plan.json} is the job's own. */
  boolean hasPlan() {
    return switch (name) {
      case JobRun.ALLOCATE, JobRun.FINETUNE -> true;
      case JobRun.COMPARE -> config.compare().findSmallest();
      default -> false;
    };
  }
}
