package io.guilomo.config;

/**
 * What is kept to continue from; {@code guilomo.checkpoint}.
 *
 * @param everyRounds averaging rounds between two checkpoints; 0: none
 * @param keep newest checkpoints that are kept
 */
public record CheckpointConfig(int everyRounds, int keep) {

  static CheckpointConfig of(Section section) {
    return new CheckpointConfig(section.whole("every-rounds", 0), section.whole("keep", 1));
  }
}
