package io.guilomo.kernel.nd4j;

import io.guilomo.kernel.KernelProvider;
import io.guilomo.kernel.Kernels;
import java.util.Optional;

/** Offers {@link Nd4jKernels}, which run everywhere. */
public final class PortableProvider implements KernelProvider {

  @Override
  public String name() {
    return "portable";
  }

  @Override
  public Optional<String> unavailable() {
    return Optional.empty();
  }

  @Override
  public Kernels open(int device) {
    return new Nd4jKernels();
  }

  @Override
  public int priority() {
    return 0;
  }

  @Override
  public boolean gpu() {
    return false;
  }

  @Override
  public int devices() {
    return 1;
  }

  @Override
  public String describe(int device) {
    return "processors";
  }
}
