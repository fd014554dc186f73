package io.guilomo.spark.checkpoint;

import io.guilomo.config.ChangedKey;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import java.util.List;

/**
 * Which keys may change between a checkpoint and the attempt that resumes from it: some must not,
 * some mean nothing to the job, and of all others the new value applies and is reported.
 */
final class ResumeRules {

  /** They decide which parameters there are, or their initial values. */
  private static final List<String> REFUSED =
      List.of(
          "run.seed",
          "model.family",
          "model.pooling",
          "data.task",
          "data.labels",
          "lora-moe.target-modules",
          "lora-moe.max-experts",
          "lora-moe.max-rank",
          "lora-moe.top-k",
          "lora-moe.alpha");

  private static final List<String> IRRELEVANT =
      List.of(
          "run.id",
          "output.",
          "evaluate.",
          "generation.",
          "compare.",
          "checkpoint.",
          "allocation.",
          "search.seeds",
          "cluster.round-timeout-seconds");

  private ResumeRules() {}

  /**
   * Compares the configurations of a checkpoint and of the attempt that resumes from it.
   *
   * @param otherJobs sections that only other jobs read, such as {@code finetune.}
   * @return the changes to report
   * @throws UserException that names a key that must not change
   */
  static List<ChangedKey> check(
      String checkpoint, GuilomoConfig before, GuilomoConfig now, List<String> otherJobs) {
    List<ChangedKey> changes = now.changes(before);
    for (ChangedKey change : changes) {
      if (REFUSED.contains(change.key())) {
        throw new UserException(
            String.format(
                "Cannot resume from %s: %s has changed; give another run.id, or start over with"
                    + " checkpoint.resume=false",
                checkpoint, change));
      }
    }
    return changes.stream()
        .filter(change -> IRRELEVANT.stream().noneMatch(change.key()::startsWith))
        .filter(change -> otherJobs.stream().noneMatch(change.key()::startsWith))
        .toList();
  }
}
