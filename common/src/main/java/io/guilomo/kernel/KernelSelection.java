package io.guilomo.kernel;

import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/** Which kernels a process uses. */
public class KernelSelection {
  /** System property: {@code vector} or {@code portable}; the fastest that run here if absent. */
  public static final String KERNELS = "guilomo.kernels";

  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  private KernelSelection() {}

  /** Select them before the first matrix product of the process: see {@link VectorKernels}. */
  public static Kernels best() {
    return named(System.getProperty(KERNELS, vectorRuns() ? "vector" : "portable"));
  }

  public static Kernels named(String name) {
    switch (name) {
      case "portable":
        return new Nd4jKernels();
      case "vector":
        if (!vectorRuns()) {
          throw new IllegalArgumentException(
              String.format(
                  "Cannot use vector kernels: they need ND4J's CPU backend and --add-modules %s",
                  VECTOR_MODULE));
        }
        return VectorLoader.load();
      default:
        throw new IllegalArgumentException(
            String.format("Cannot use kernels '%s' (%s): know portable and vector", name, KERNELS));
    }
  }

  private static boolean vectorRuns() {
    return Nd4j.getExecutioner().type() == ExecutionerType.NATIVE_CPU
        && ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
  }

  /** Keeps this class loadable where the module is absent. */
  private static class VectorLoader {
    static Kernels load() {
      return new VectorKernels();
    }
  }
}
