package io.guilomo.kernel.nd4j;

import io.guilomo.kernel.KernelProvider;
import io.guilomo.kernel.Kernels;

/** Offers {@link Nd4jKernels}, which run everywhere. */
public final class PortableProvider implements KernelProvider {

  @Override
  public String name() {
    return "portable";
  }

  @Override
  public Kernels open(int device) {
    return new Nd4jKernels();
  }

  @Override
  public int priority() {
    return 0;
  }
}
