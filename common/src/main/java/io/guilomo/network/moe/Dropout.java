package io.guilomo.network.moe;

import io.guilomo.data.Seeds;
import io.guilomo.kernel.DropoutMask;
import io.guilomo.network.PassContext;

/**
 * Dropout of training passes.
 *
 * @param stream that the mask depends on beside the pass; unique in the network
 */
record Dropout(double rate, long stream) {

  /**
   * @param name that the mask depends on
   */
  Dropout(double rate, String name) {
    this(rate, name.hashCode());
  }

  boolean on(PassContext context) {
    return context.options().training() && rate > 0;
  }

  /** The mask of a pass; one that drops nothing where dropout is not {@link #on}. */
  DropoutMask mask(PassContext context) {
    return new DropoutMask(
        on(context) ? (float) rate : 0,
        Seeds.mix(context.options().dropoutSeed(), stream),
        context.firstToken());
  }
}
