package io.guilomo.spark.training;

import java.io.Serializable;

/**
 * A part of what a worker hands back at the end of a round: its report, or a stretch of parameters
 * and updater state, which follow each other.
 *
 * @param stretch {@link #REPORT}, or the stretch's number from 0
 * @param report null in a stretch
 * @param values of the stretch, as bytes; null in a report
 */
record RoundPart<S>(int stretch, int worker, WorkerRound<S> report, byte[] values)
    implements Serializable {

  static final int REPORT = -1;

  static <S> RoundPart<S> of(WorkerRound<S> report) {
    return new RoundPart<>(REPORT, report.worker(), report, null);
  }

  static <S> RoundPart<S> of(int stretch, int worker, byte[] values) {
    return new RoundPart<>(stretch, worker, null, values);
  }

  boolean isReport() {
    return stretch == REPORT;
  }
}
