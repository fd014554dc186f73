package io.guilomo.spark.checkpoint;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.GuilomoConfig.ChangedKey;
import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.spark.progress.ProgressListener;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When one training writes checkpoints, and which one it may resume from. Some keys must not change
 * in between, some mean nothing to the job, and of all others the new value applies and is
 * reported.
 *
 * @param otherJobs sections of the configuration that only other jobs read
 */
public record TrainingCheckpoints(
    CheckpointDirectory directory,
    GuilomoConfig config,
    List<String> otherJobs,
    ProgressListener progress) {

  private static final Logger LOG = LoggerFactory.getLogger(TrainingCheckpoints.class);

  /** They decide which parameters there are, their initial values, or which network they train. */
  static final List<String> REFUSED =
      List.of(
          "run.seed",
          "model.family",
          "model.precision",
          "data.task",
          "data.labels",
          "lora-moe.target-modules",
          "lora-moe.max-experts",
          "lora-moe.max-rank",
          "lora-moe.routing",
          "lora-moe.top-k",
          "lora-moe.sharing",
          "lora-moe.alpha",
          "lora-moe.scaling",
          "search.estimator",
          "search.start-plan");

  private static final List<String> IRRELEVANT =
      List.of(
          "run.id",
          "output.",
          "evaluate.",
          "generation.",
          "compare.",
          "checkpoint.",
          "tracking.",
          "allocation.",
          "search.seeds",
          "finetune.seeds",
          "cluster.round-timeout-seconds");

  /**
   * The newest checkpoint that is whole; empty where there is none.
   *
   * @throws UserException if the configuration has changed in a key that must not
   */
  public Optional<Checkpoint> newest() throws IOException {
    Optional<Checkpoint> newest = directory.newest(progress::message);
    if (newest.isPresent()) {
      String name = directory + " after round " + newest.get().round();
      for (ChangedKey change : changes(name, earlier(newest.get()), config, otherJobs)) {
        progress.message("resuming with a changed key: " + change);
      }
    }
    return newest;
  }

  private GuilomoConfig earlier(Checkpoint checkpoint) {
    try {
      return GuilomoConfig.fromJson(checkpoint.configuration());
    } catch (UserException e) {
      throw new UserException(
          String.format(
              "Cannot resume from %s: its configuration is not one of this release: %s",
              directory, e.getMessage()),
          e);
    }
  }

  /** Whether one is due after a number of rounds. */
  public boolean due(long rounds) {
    int every = config.checkpoint().everyRounds();
    return every > 0 && rounds % every == 0;
  }

  /**
   * Writes a checkpoint, unless none are wanted. If it cannot be written the training continues
   * without it: the earlier ones stay.
   */
  public void write(Supplier<Checkpoint> state) {
    if (config.checkpoint().everyRounds() == 0) {
      return;
    }
    Checkpoint checkpoint = state.get();
    long start = System.nanoTime();
    try {
      directory.write(checkpoint);
      LOG.info(
          "checkpoint after round {} written to {} in {} ms",
          checkpoint.round(),
          directory,
          (System.nanoTime() - start) / 1_000_000);
    } catch (IOException e) {
      LOG.warn("checkpoint after round {} not written", checkpoint.round(), e);
      progress.message(
          String.format(
              "Cannot write the checkpoint after round %d, continuing without it: %s",
              checkpoint.round(), e.getMessage()));
    }
  }

  /**
   * Compares the configurations of a checkpoint and of the attempt that resumes from it.
   *
   * @param otherJobs sections that only other jobs read, such as {@code finetune.}
   * @return the changes to report
   * @throws UserException that names a key that must not change
   */
  static List<ChangedKey> changes(
      String checkpoint, GuilomoConfig before, GuilomoConfig now, List<String> otherJobs) {
    List<ChangedKey> changes =
        now.changes(before).stream()
            .filter(change -> otherJobs.stream().noneMatch(change.key()::startsWith))
            .toList();
    for (ChangedKey change : changes) {
      if (REFUSED.contains(change.key())) {
        throw new UserException(
            "Cannot resume from %s: %s has changed; give another run.id, or start over with"
                + " checkpoint.resume=false",
            checkpoint, change);
      }
    }
    return changes.stream()
        .filter(
            change ->
                steers(change, now) || IRRELEVANT.stream().noneMatch(change.key()::startsWith))
        .toList();
  }

  /**
   * Whether it is the budget of a search that heads for it, or that ends when its plan within it is
   * stable, or the length of the training.
   */
  private static boolean steers(ChangedKey change, GuilomoConfig config) {
    return switch (change.key()) {
      case "allocation.budget.parameters" ->
          config.search().estimator() == Estimator.EXPECTED || config.search().patience() > 0;
      case "allocation.steps" -> AllocationStrategies.measures(config.allocation().strategy());
      default -> false;
    };
  }
}
