package io.guilomo.spark.round;

import io.guilomo.spark.round.Rounds.Round;
import io.guilomo.spark.worker.WorkerRound;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * What one training makes of its averaging rounds: what it gathers, shows, writes and keeps, and
 * when it validates and stops. {@link RoundLoop} calls it from one thread.
 *
 * @param <S> what one step measures
 */
public interface TrainingRun<S> {

  /** What a training has gathered beside its parameters. */
  interface State {

    /** Validation of the initial parameters. */
    ValidationResult before();

    /** Digest of the backbone on the executors; empty before the first round. */
    String backboneDigest();

    /** A JSON object for the checkpoint. */
    String toJson();
  }

  /** What progress calls the training. */
  String task();

  /** Starts from the first step, with the validation of the initial parameters. */
  void start(ValidationResult before);

  /**
   * Starts from what {@link #state} was, as JSON, when a checkpoint was written.
   *
   * @throws io.guilomo.model.UserException if it is something else
   */
  void resume(String state);

  State state();

  /**
   * Called after each round.
   *
   * @param workers what each has done, in the order of their numbers
   * @param seconds of the round
   * @return what to show of it, in the order to show it
   */
  Map<String, Double> trained(Round round, List<WorkerRound<S>> workers, double seconds);

  /** Whether the averaged parameters are validated after a round. */
  boolean validatesAfter(Round round);

  /** Called after each validation but the first, with the round that came before it. */
  void validated(Round round, List<WorkerRound<S>> workers, ValidationResult result)
      throws IOException;

  /** Whether to stop before the last round. */
  default boolean stops() {
    return false;
  }

  /**
   * Writes the rows gathered up to the end of a round.
   *
   * @param now even if the last were written only seconds ago
   */
  void write(long round, boolean now);
}
