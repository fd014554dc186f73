package io.guilomo.kernel.vector;

import io.guilomo.kernel.CheckedKernels;
import io.guilomo.kernel.HostOperations;
import io.guilomo.kernel.Operations;

/**
 * CPU kernels that use the JDK's Vector API, and oneDNN or the linear algebra library that ND4J has
 * loaded, directly on the memory of the arrays. Require {@code --add-modules jdk.incubator.vector}.
 *
 * <p>All operations except matmuls give the same bits for any number of threads. Matmuls do so with
 * oneDNN, and with MKL if these kernels are created before its first use in the process.
 */
final class VectorKernels extends CheckedKernels {

  VectorKernels() {
    super(Operations.of(new VectorOperations(), HostOperations.FROZEN_TYPES));
  }
}
