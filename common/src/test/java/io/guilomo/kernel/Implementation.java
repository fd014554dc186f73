package io.guilomo.kernel;

/** The kernels that every test of an operation runs against. */
enum Implementation {
  PORTABLE,
  VECTOR;

  Kernels kernels() {
    return this == PORTABLE ? new Nd4jKernels() : new VectorKernels();
  }
}
