package io.guilomo.kernel;

import java.util.Optional;

/**
 * A backend that {@link java.util.ServiceLoader} finds. The class must load even where the backend
 * cannot be used.
 */
public interface KernelProvider {

  String name();

  /** Why it cannot be used here, in one line; empty if it can. */
  default Optional<String> unavailable() {
    return Optional.empty();
  }

  /** Number of devices that {@link #open} accepts. */
  default int devices() {
    return 1;
  }

  /** One line about a device, including its matmul speed, measured by this call. */
  default String describe(int device) {
    return "processors";
  }

  /**
   * Kernels of a device.
   *
   * @param device number of the GPU, from 0; always 0 for processors
   */
  Kernels open(int device);

  /** Among usable providers, the one with the highest priority is used unless one is named. */
  int priority();

  default boolean gpu() {
    return false;
  }
}
