package io.guilomo.spark.round;

import io.guilomo.model.UserException;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.checkpoint.TrainingCheckpoints;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.round.Rounds.Round;
import io.guilomo.spark.worker.WorkerRound;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains round after round, from the first step or from a checkpoint. Rows are written before the
 * checkpoint of their round, because rounds before a checkpoint are never computed again.
 */
public record RoundLoop<S>(
    AveragedTraining<S> training, TrainingCheckpoints checkpoints, ProgressListener progress) {

  private static final Logger LOG = LoggerFactory.getLogger(RoundLoop.class);

  /**
   * Trains until all rounds are done or the run stops.
   *
   * @param planned all rounds of the training
   * @param resumed the checkpoint of an earlier attempt
   * @return steps that each worker has done, those of earlier attempts included
   */
  public long run(TrainingRun<S> run, Rounds planned, Optional<Checkpoint> resumed)
      throws IOException {
    Rounds rounds = start(run, planned, resumed);
    progress.message(
        String.format(
            Locale.ROOT,
            "validation loss before %.4f, %d steps of each worker",
            run.state().before().loss(),
            rounds.steps()));
    progress.begin(run.task(), rounds.count() - rounds.done());
    long steps = rounds.doneSteps();
    for (long number = rounds.done() + 1; number <= rounds.count() && !run.stops(); number++) {
      Round round = rounds.round(number);
      List<WorkerRound<S>> workers = train(run, round, rounds.count());
      boolean validates = run.validatesAfter(round);
      if (validates) {
        validate(run, round, workers);
      }
      boolean saves = validates || checkpoints.due(number);
      run.write(number, saves);
      if (saves) {
        checkpoints.write(
            () -> training.checkpoint(round.number(), round.endStep(), run.state().toJson()));
      }
      steps = round.endStep();
    }
    return steps;
  }

  private Rounds start(TrainingRun<S> run, Rounds planned, Optional<Checkpoint> resumed) {
    if (resumed.isEmpty()) {
      run.start(training.validate());
      return planned;
    }
    Checkpoint checkpoint = resumed.get();
    training.restore(checkpoint);
    run.resume(checkpoint.progress());
    Rounds rounds = planned.after(checkpoint.round(), checkpoint.step());
    String line = String.format("resuming after round %d of %d", rounds.done(), rounds.count());
    LOG.info("{}: {}", run.task(), line);
    progress.message(line);
    return rounds;
  }

  private List<WorkerRound<S>> train(TrainingRun<S> run, Round round, long count) {
    LOG.info(
        "{}: round {} of {} starts, steps {} to {}",
        run.task(),
        round.number(),
        count,
        round.firstStep(),
        round.endStep() - 1);
    long start = System.nanoTime();
    List<WorkerRound<S>> workers = training.round(round);
    double seconds = (System.nanoTime() - start) / 1e9;
    requireBackbone(run.state().backboneDigest(), workers);
    Map<String, Double> shown = run.trained(round, workers, seconds);
    LOG.info(
        "{}: round {} of {} ended after {} s: {}",
        run.task(),
        round.number(),
        count,
        String.format(Locale.ROOT, "%.2f", seconds),
        shown);
    progress.round(shown);
    return workers;
  }

  private void validate(TrainingRun<S> run, Round round, List<WorkerRound<S>> workers)
      throws IOException {
    ValidationResult result = training.validate();
    run.validated(round, workers, result);
    progress.message(
        String.format(
            Locale.ROOT,
            "validation loss %.4f, accuracy %.4f after %d steps",
            result.loss(),
            result.accuracy(),
            round.endStep()));
  }

  /**
   * @param expected digest of the model so far; empty in the first round
   * @throws UserException if executors have another model, or models of their own
   */
  private static void requireBackbone(String expected, List<? extends WorkerRound<?>> workers) {
    String first = workers.get(0).backboneDigest();
    if (!expected.isEmpty() && !expected.equals(first)) {
      throw new UserException(
          "Cannot continue the training: the model has digest %s, it was begun with %s",
          first, expected);
    }
    for (WorkerRound<?> worker : workers) {
      if (!worker.backboneDigest().equals(first)) {
        throw new UserException(
            "Cannot average: the model has digest %s for worker %d, and %s for worker 0; give all"
                + " executors the same files",
            worker.backboneDigest(), worker.worker(), first);
      }
    }
  }
}
