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
 */
public record PassOptions(
    boolean training, long dropoutSeed, Gradient gradient, Routing routing, Accuracy accuracy) {

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
    return new PassOptions(false, 0, Gradient.NONE, Routing.CHOOSE, Accuracy.ROUNDED);
  }

  /** Forward and backward for everything. */
  public static PassOptions training(long dropoutSeed) {
    return new PassOptions(true, dropoutSeed, Gradient.ALL, Routing.CHOOSE, Accuracy.ROUNDED);
  }

  public PassOptions with(Routing other) {
    return new PassOptions(training, dropoutSeed, gradient, other, accuracy);
  }

  public PassOptions with(Gradient other) {
    return new PassOptions(training, dropoutSeed, other, routing, accuracy);
  }

  public PassOptions with(Accuracy other) {
    return new PassOptions(training, dropoutSeed, gradient, routing, other);
  }
}
