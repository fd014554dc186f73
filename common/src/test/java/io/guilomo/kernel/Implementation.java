package io.guilomo.kernel;

/** The kernels that every test of an operation runs against. */
enum Implementation {
  PORTABLE;

  Kernels kernels() {
    return new Nd4jKernels();
  }
}
