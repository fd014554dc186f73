package io.guilomo.kernel.vector;

import io.guilomo.kernel.KernelProvider;
import io.guilomo.kernel.Kernels;
import java.util.Optional;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/** Offers {@link VectorKernels}, whose classes are loaded only if their module is present. */
public final class VectorProvider implements KernelProvider {
  private static final String MODULE = "jdk.incubator.vector";

  @Override
  public String name() {
    return "vector";
  }

  @Override
  public Optional<String> unavailable() {
    return Nd4j.getExecutioner().type() == ExecutionerType.NATIVE_CPU
            && ModuleLayer.boot().findModule(MODULE).isPresent()
        ? Optional.empty()
        : Optional.of("they need ND4J's CPU backend and --add-modules " + MODULE);
  }

  @Override
  public Kernels open(int device) {
    return Loader.load();
  }

  @Override
  public int priority() {
    return 1;
  }

  /** Keeps this class loadable where the module is absent. */
  private static class Loader {
    static Kernels load() {
      return new VectorKernels();
    }
  }
}
