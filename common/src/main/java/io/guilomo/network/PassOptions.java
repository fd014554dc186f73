package io.guilomo.network;

import io.guilomo.kernel.Kernels.Accuracy;

/**
 * How a pass over a batch is run.
 *
 * @param training whether dropout is on
 * @param dropoutSeed passes with the same seed drop the same elements
 * @param gradient what is differentiated
 * @param routing how tokens find their experts
 * @param accuracy how precisely activations meet frozen matrices of 16-bit floats
 * @param balance whether the loss includes that of the batch as a whole, which balances the load
 */
public record PassOptions(
    boolean training,
    long dropoutSeed,
    Gradient gradient,
    Routing routing,
    Accuracy accuracy,
    boolean balance) {

  /** What a pass differentiates with respect to. */
  public enum Gradient {
    /** Forward only. */
    NONE,
    /** The GSVs alone: the products for the weights' gradients are not run. */
    GSVS,
    /** Weights and GSVs. */
    ALL
  }

  /** How a pass chooses experts. */
  public enum Routing {
    /** Those of the router. */
    CHOOSE,
    /** Those of the router, remembered for {@link #REPLAY}. */
    RECORD,
    /** The experts of the last {@link #RECORD} pass, which must have run on the same batch. */
    REPLAY
  }

  /** A forward pass without dropout. */
  public static PassOptions evaluation() {
    return new PassOptions(false, 0, Gradient.NONE, Routing.CHOOSE, Accuracy.ROUNDED, true);
  }

  /** Forward and backward for everything. */
  public static PassOptions training(long dropoutSeed) {
    return new PassOptions(true, dropoutSeed, Gradient.ALL, Routing.CHOOSE, Accuracy.ROUNDED, true);
  }

  public PassOptions with(Routing other) {
    return new PassOptions(training, dropoutSeed, gradient, other, accuracy, balance);
  }

  public PassOptions with(Gradient other) {
    return new PassOptions(training, dropoutSeed, other, routing, accuracy, balance);
  }

  public PassOptions with(Accuracy other) {
    return new PassOptions(training, dropoutSeed, gradient, routing, other, balance);
  }

  /** The same for the loss of the labels alone. */
  public PassOptions withoutBalance() {
    return new PassOptions(training, dropoutSeed, gradient, routing, accuracy, false);
  }
}
