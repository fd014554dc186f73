package io.guilomo.spark.job;

import io.guilomo.config.ChangedKey;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import java.util.List;

/**
 * What becomes of keys that have changed between a checkpoint and the attempt that goes on from it:
 * some are refused, some mean nothing to the job, and of all others the new value holds and is
 * pointed out. The README has the table.
 */
final class ResumeRules {

  /** They decide what the parameters are, or which were drawn. */
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

  private static final List<String> NO_MATTER =
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
   * Compares the configurations of a checkpoint and of the attempt that is to go on from it.
   *
   * @param otherJobs sections that only other jobs read, such as {@code finetune.}
   * @return the changes to point out
   * @throws UserException that names a key that must not change
   */
  static List<ChangedKey> check(
      String checkpoint, GuilomoConfig before, GuilomoConfig now, List<String> otherJobs) {
    List<ChangedKey> changes = now.changes(before);
    for (ChangedKey change : changes) {
      if (REFUSED.contains(change.key())) {
        throw new UserException(
            String.format(
                "Cannot go on from %s: %s has changed; give another run.id, or begin anew with"
                    + " checkpoint.resume=false",
                checkpoint, change));
      }
    }
    return changes.stream()
        .filter(change -> NO_MATTER.stream().noneMatch(change.key()::startsWith))
        .filter(change -> otherJobs.stream().noneMatch(change.key()::startsWith))
        .toList();
  }
}
