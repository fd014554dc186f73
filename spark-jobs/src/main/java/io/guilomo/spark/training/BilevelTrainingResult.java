package io.guilomo.spark.training;

import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingResult;

/** What dl4j-spark carries inside a task; it is not serialisable, the round in it is. */
final class BilevelTrainingResult extends ParameterAveragingTrainingResult {

  private final WorkerRound round;

  BilevelTrainingResult(WorkerRound round) {
    super(
        round.parameters(),
        round.updaterState(),
        round.steps().get(round.steps().size() - 1).training().loss(),
        null,
        null,
        null);
    this.round = round;
  }

  WorkerRound round() {
    return round;
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
