package io.guilomo.kernel;

/** Kernels made of ND4J operations alone: they run on every backend. */
public class Nd4jKernels extends CheckedKernels {

  public Nd4jKernels() {
    super(new Nd4jOperations());
  }
}
