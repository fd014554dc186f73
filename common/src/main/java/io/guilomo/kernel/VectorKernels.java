package io.guilomo.kernel;

/**
 * Kernels for the CPU backend: the JDK's Vector API and the linear algebra library that ND4J has
 * loaded, over the arrays' own memory. Needs {@code --add-modules jdk.incubator.vector}.
 *
 * <p>Everything but products gives the same bits for any number of threads. Products do so with MKL
 * if these kernels are made before its first use in the process.
 */
public class VectorKernels extends CheckedKernels {

  public VectorKernels() {
    super(new VectorOperations());
  }
}
