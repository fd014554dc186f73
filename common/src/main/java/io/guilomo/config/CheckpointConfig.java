package io.guilomo.config;

/**
 * Checkpoints and resuming; {@code guilomo.checkpoint}.
 *
 * @param everyRounds averaging rounds between two checkpoints; 0: no checkpoints
 * @param keep number of checkpoints to keep, newest first
 * @param resume whether an unfinished run resumes from its newest checkpoint
 */
public record CheckpointConfig(int everyRounds, int keep, boolean resume) {

  static CheckpointConfig of(ConfigSection section) {
    return new CheckpointConfig(
        section.whole("every-rounds", 0), section.whole("keep", 1), section.flag("resume"));
  }
}
