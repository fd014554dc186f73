package io.guilomo.spark.round;

import io.guilomo.model.UserException;

/**
 * The steps of a training, cut into averaging rounds; the last may be shorter. A training that
 * resumes from a checkpoint counts from there, so that its rounds may have another length than
 * those before.
 *
 * @param steps of each worker, in all
 * @param perRound steps between two averagings
 * @param done rounds that were done before
 * @param doneSteps steps of each worker in them
 */
public record Rounds(long steps, int perRound, long done, long doneSteps) {

  /**
   * One averaging round.
   *
   * @param number from 1
   * @param firstStep from 0, over all rounds
   * @param endStep the step after its last
   * @param last whether it is the last of the training
   */
  public record Round(long number, long firstStep, long endStep, boolean last) {

    /** Whether a multiple of {@code interval} steps is completed in it, or the training. */
    public boolean completes(long interval) {
      return last || endStep / interval > firstStep / interval;
    }
  }

  public static Rounds of(long steps, int averagingFrequency) {
    return new Rounds(steps, (int) Math.min(averagingFrequency, steps), 0, 0);
  }

  /**
   * The rounds that remain after those that an earlier attempt has done.
   *
   * @throws UserException if it has done more steps than the training has
   */
  public Rounds after(long rounds, long stepsOfThem) {
    if (stepsOfThem > steps) {
      throw new UserException(
          "Cannot resume after %d steps of each worker: the training has %d now, which would leave it"
              + " unfinished; give it the workers, batch size and epochs that it had, or another"
              + " run.id",
          stepsOfThem, steps);
    }
    return new Rounds(steps, perRound, rounds, stepsOfThem);
  }

  /** Rounds in all. */
  public long count() {
    return done + (steps - doneSteps + perRound - 1) / perRound;
  }

  /** A round that is yet to do, by its number from 1. */
  public Round round(long number) {
    long first = doneSteps + (number - 1 - done) * perRound;
    return new Round(number, first, Math.min(steps, first + perRound), number == count());
  }
}
