package io.guilomo.config;

/**
 * What is kept to go on from; {@code guilomo.checkpoint}.
 *
 * @param everyRounds averaging rounds between two checkpoints; 0: none are written
 * @param keep newest checkpoints that are kept
 * @param resume whether a run that did not end goes on from its newest checkpoint
 */
public record CheckpointConfig(int everyRounds, int keep, boolean resume) {

  static CheckpointConfig of(Section section) {
    return new CheckpointConfig(
        section.whole("every-rounds", 0), section.whole("keep", 1), section.flag("resume"));
  }
}
