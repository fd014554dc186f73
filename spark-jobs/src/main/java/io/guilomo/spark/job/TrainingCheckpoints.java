package io.guilomo.spark.job;

import io.guilomo.config.ChangedKey;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.checkpoint.CheckpointDirectory;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** When one training writes checkpoints, and which one it may go on from. */
final class TrainingCheckpoints {

  private final CheckpointDirectory directory;
  private final GuilomoConfig config;
  private final List<String> otherJobs;
  private final ProgressListener progress;

  /**
   * @param otherJobs sections of the configuration that only other jobs read
   */
  TrainingCheckpoints(
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
  Optional<Checkpoint> newest() throws IOException {
    Optional<Checkpoint> newest = directory.newest(progress::message);
    if (newest.isPresent()) {
      String name = directory + " after round " + newest.get().round();
      for (ChangedKey change : ResumeRules.check(name, earlier(newest.get()), config, otherJobs)) {
        progress.message("going on with a changed key: " + change);
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
              "Cannot go on from %s: its configuration is not one of this release: %s",
              directory, e.getMessage()),
          e);
    }
  }

  /** Whether it is time for one after so many rounds. */
  boolean due(long rounds) {
    int every = config.checkpoint().everyRounds();
    return every > 0 && rounds % every == 0;
  }

  /**
   * Writes a checkpoint of a training after so many rounds and steps, unless none are wanted. Where
   * it cannot be written the training goes on without: the earlier ones stay.
   */
  void write(AveragedTraining<?> training, long rounds, long step, String state) {
    if (config.checkpoint().everyRounds() == 0) {
      return;
    }
    try {
      directory.write(training.checkpoint(rounds, step, state, config.asJson()));
    } catch (IOException e) {
      progress.message(
          String.format(
              "Cannot write the checkpoint after round %d, going on: %s", rounds, e.getMessage()));
    }
  }
}
