package io.guilomo.spark.tracking;

import io.guilomo.config.GuilomoConfig;
import java.time.Instant;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * A job that is to be recorded.
 *
 * @param name of the job: {@code allocate}, {@code finetune}, …
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
    return name.equals("allocate") && config.search().seeds().size() > 1
        || name.equals("finetune") && config.finetune().seeds().size() > 1;
  }

  /** Whether the run's {@code plan.json} is the job's own. */
  boolean hasPlan() {
    return switch (name) {
      case "allocate", "finetune" -> true;
      case "compare" -> config.compare().findSmallest();
      default -> false;
    };
  }
}
