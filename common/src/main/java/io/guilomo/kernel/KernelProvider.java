package io.guilomo.kernel;

import java.util.Optional;

/**
 * A backend that {@link java.util.ServiceLoader} finds. The class must load even where the backend
 * cannot be used.
 */
public interface KernelProvider {

  String name();

  /** Why it cannot be used here, in one line; empty if it can. */
  Optional<String> unavailable();

  /** Number of devices that {@link #open} accepts. */
  int devices();

  /** One line about a device, including its matmul speed, measured by this call. */
  String describe(int device);

  /**
   * Kernels of a device.
   *
   * @param device number of the GPU, from 0; always 0 for processors
   */
  Kernels open(int device);

  /** Among usable providers, the one with the highest priority is used unless one is named. */
  int priority();

  /** Whether the kernels run on a GPU. */
  boolean gpu();
}
