package io.guilomo.spark.checkpoint;

import io.guilomo.config.ChangedKey;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import io.guilomo.spark.progress.ProgressListener;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** When one training writes checkpoints, and which one it may resume from. */
public final class TrainingCheckpoints {

  private static final Logger LOG = LoggerFactory.getLogger(TrainingCheckpoints.class);

  private final CheckpointDirectory directory;
  private final GuilomoConfig config;
  private final List<String> otherJobs;
  private final ProgressListener progress;

  /**
   * @param otherJobs sections of the configuration that only other jobs read
   */
  public TrainingCheckpoints(
      CheckpointDirectory directory,
      GuilomoConfig config,
      List<String> otherJobs,
      ProgressListener progress) {
    this.directory = directory;
    this.config = config;
    this.otherJobs = otherJobs;
    this.progress = progress;
  }

  /**
   * The newest checkpoint that is whole; empty where there is none.
   *
   * @throws UserException if the configuration has changed in a key that must not
   */
  public Optional<Checkpoint> newest() throws IOException {
    Optional<Checkpoint> newest = directory.newest(progress::message);
    if (newest.isPresent()) {
      String name = directory + " after round " + newest.get().round();
      for (ChangedKey change : ResumeRules.check(name, earlier(newest.get()), config, otherJobs)) {
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
  public void write(Checkpoint checkpoint) {
    if (config.checkpoint().everyRounds() == 0) {
      return;
    }
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
}
