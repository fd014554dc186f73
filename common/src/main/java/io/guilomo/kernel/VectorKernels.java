package io.guilomo.kernel;

/**
 * Kernels for the CPU backend: the JDK's Vector API and the linear algebra library that ND4J has loaded, over the arrays'
 * own memory. Needs {@code --add-modules jdk.incubator.vector}.
 */
public class VectorKernels extends CheckedKernels {

  public VectorKernels() {
    super(new VectorOperations());
  }
}
