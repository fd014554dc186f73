package io.guilomo.kernel.nd4j;

import io.guilomo.kernel.CheckedKernels;
import io.guilomo.kernel.HostOperations;
import io.guilomo.kernel.Operations;

/** Kernels made of ND4J operations alone: they run on every backend. */
final class Nd4jKernels extends CheckedKernels {

  Nd4jKernels() {
    this(new Nd4jOperations());
  }

  private Nd4jKernels(Nd4jOperations most) {
    super(
        new Operations(
            most,
            most,
            most,
            new Nd4jLayers(),
            new Nd4jAttention(),
            new Nd4jExperts(),
            new Nd4jVectors(),
            HostOperations.FROZEN_TYPES));
  }
}
