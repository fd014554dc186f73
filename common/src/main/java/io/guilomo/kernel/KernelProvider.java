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

  /** Devices that {@link #open} knows, numbered from 0. */
  int devices();

  /** What a device is and how fast it multiplies, measured now, in one line. */
  String describe(int device);

  /**
   * Kernels of a device.
   *
   * @param device number of the GPU; processors have number 0
   */
  Kernels open(int device);

  /** The largest of those that can be used is preferred where no name is given. */
  int priority();

  /** Whether the kernels run on a GPU. */
  boolean gpu();
}
