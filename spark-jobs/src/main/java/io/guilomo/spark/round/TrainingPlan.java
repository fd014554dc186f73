package io.guilomo.spark.round;

import io.guilomo.network.NetworkDefinition;
import io.guilomo.spark.worker.LocalTraining;

/**
 * What is trained, how, and for how long.
 *
 * @param training what each worker does in a round
 * @param batchSize sequences of every batch
 * @param seed of the order of the records
 * @param validationShare share of each worker's validation records over which losses are measured
 */
public record TrainingPlan<S>(
    NetworkDefinition network,
    LocalTraining<S> training,
    Rounds rounds,
    int batchSize,
    long seed,
    double validationShare) {

  /** A plan whose losses are measured over all validation records. */
  public TrainingPlan(
      NetworkDefinition network,
      LocalTraining<S> training,
      Rounds rounds,
      int batchSize,
      long seed) {
    this(network, training, rounds, batchSize, seed, 1);
  }
}
