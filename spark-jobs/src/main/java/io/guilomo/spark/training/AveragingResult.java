package io.guilomo.spark.training;

import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingResult;

/** What dl4j-spark carries inside a task; it is not serialisable, the round in it is. */
final class AveragingResult<S> extends ParameterAveragingTrainingResult {

  private final WorkerRound<S> round;

  AveragingResult(WorkerRound<S> round, double score) {
    super(round.parameters(), round.updaterState(), score, null, null, null);
    this.round = round;
  }

  WorkerRound<S> round() {
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
