package io.guilomo.kernel.nd4j;

import io.guilomo.kernel.CheckedKernels;
import io.guilomo.kernel.Operations;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;

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
            List.of(DataType.FLOAT)));
  }
}
