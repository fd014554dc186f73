package io.guilomo.spark.round;

import io.guilomo.spark.worker.WorkerRound;
import java.io.Serializable;

/**
 * A part of what a worker returns at the end of a round: its report, or one slice of its parameters
 * and updater state. Slices are numbered through both.
 *
 * @param slice {@link #REPORT}, or the slice's number from 0
 * @param report null in a slice
 * @param content of the slice; null in a report
 */
record RoundPart<S>(int slice, int worker, WorkerRound<S> report, Slice content)
    implements Serializable {

  static final int REPORT = -1;

  static <S> RoundPart<S> of(WorkerRound<S> report) {
    return new RoundPart<>(REPORT, report.worker(), report, null);
  }

  static <S> RoundPart<S> of(int slice, int worker, Slice content) {
    return new RoundPart<>(slice, worker, null, content);
  }

  boolean isReport() {
    return slice == REPORT;
  }

  /** Values of the slice, as bytes. */
  byte[] values() {
    return content.bytes();
  }
}
