package io.guilomo.spark.job;

/**
 * The steps of a training, cut into averaging rounds; the last may be shorter. A training that goes
 * on from a checkpoint counts from there, so that rounds may have another length than before it.
 *
 * @param steps of each worker, in all
 * @param perRound steps between two averagings
 * @param done rounds that were done before
 * @param doneSteps steps of each worker in them
 */
record Rounds(long steps, int perRound, long done, long doneSteps) {

  static Rounds of(long steps, int averagingFrequency) {
    return new Rounds(steps, (int) Math.min(averagingFrequency, steps), 0, 0);
  }

  /** Goes on after so many rounds with so many steps. */
  Rounds after(long rounds, long stepsOfThem) {
    return new Rounds(steps, perRound, rounds, stepsOfThem);
  }

  /** Rounds in all. */
  long count() {
    return done + Math.max(0, (steps - doneSteps + perRound - 1) / perRound);
  }

  /** First step of a round that is yet to do. */
  long firstStep(long round) {
    return doneSteps + (round - done) * perRound;
  }

  /** Step after the last of a round. */
  long endStep(long round) {
    return Math.min(steps, firstStep(round) + perRound);
  }

  /** Whether steps are a multiple of {@code interval} somewhere in a round, or end with it. */
  boolean passes(long round, long interval) {
    return endStep(round) == steps || endStep(round) / interval > firstStep(round) / interval;
  }
}
