package io.guilomo.spark.round;

import io.guilomo.spark.worker.WorkerRound;
import java.util.Iterator;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingResult;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What dl4j-spark carries inside a task; it is not serialisable, the parts made of it are. */
final class AveragingResult<S> extends ParameterAveragingTrainingResult {

  private final WorkerRound<S> round;

  /**
   * @param parameters {@code [a | w]} after the steps; {@code w} alone in fine-tuning
   * @param updaterState moments of both AdamW
   */
  AveragingResult(WorkerRound<S> round, INDArray parameters, INDArray updaterState, double score) {
    super(parameters, updaterState, score, null, null, null);
    this.round = round;
  }

  /** Its parts; their values are read when they are sent. */
  Iterator<RoundPart<S>> parts() {
    INDArray parameters = getParameters();
    INDArray state = getUpdaterState();
    int first = Slices.count(parameters);
    IntFunction<RoundPart<S>> part =
        i ->
            RoundPart.of(
                i,
                round.worker(),
                i < first ? Slice.of(parameters, i) : Slice.of(state, i - first));
    return Stream.concat(
            Stream.of(RoundPart.of(round)),
            IntStream.range(0, first + Slices.count(state)).mapToObj(part))
        .iterator();
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
