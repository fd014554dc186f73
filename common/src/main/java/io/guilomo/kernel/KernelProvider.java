package io.guilomo.kernel;

import java.util.Optional;

/**
 * A backend, which {@link java.util.ServiceLoader} finds. It must be loadable where it cannot be
 * used.
 */
public interface KernelProvider {

  String name();

  /** Empty if it can be used here, else why not, in one line. */
  Optional<String> unavailable();

  /**
   * Kernels of a device; each call gives new ones.
   *
   * @param device number of the GPU; processors have number 0
   */
  Kernels open(int device);

  /** The largest of those that can be used is preferred where no name is given. */
  int priority();

  /** Whether the kernels run on a GPU. */
  boolean gpu();
}
