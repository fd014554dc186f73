package io.guilomo.kernel;

import io.guilomo.model.UserException;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Which kernels a process uses: those of a {@link KernelProvider}. */
public class KernelSelection {
  /**
   * System property: the name of a provider, such as {@code vector} or {@code portable}; the
   * fastest that run on this processor if absent.
   */
  public static final String KERNELS = "guilomo.kernels";

  private KernelSelection() {}

  /** Select them before the first matrix product of the process: see {@link VectorKernels}. */
  public static Kernels best() {
    String name = System.getProperty(KERNELS);
    if (name != null) {
      return named(name);
    }
    return providers().stream()
        .filter(provider -> !provider.gpu() && provider.unavailable().isEmpty())
        .max(Comparator.comparingInt(KernelProvider::priority))
        .orElseThrow()
        .open(0);
  }

  public static Kernels named(String name) {
    for (KernelProvider provider : providers()) {
      if (provider.name().equals(name)) {
        provider
            .unavailable()
            .ifPresent(
                reason -> {
                  throw new UserException(String.format("Cannot use %s kernels: %s", name, reason));
                });
        return provider.open(0);
      }
    }
    throw new UserException(
        String.format("Cannot use kernels '%s' (%s): know %s", name, KERNELS, known()));
  }

  /**
   * Kernels of a GPU.
   *
   * @param device its number among those that this process sees
   * @throws UserException if there is none that can be used
   */
  public static Kernels gpu(int device) {
    gpuUnavailable()
        .ifPresent(
            reason -> {
              throw new UserException("Cannot compute on a GPU: " + reason);
            });
    return usable().orElseThrow().open(device);
  }

  /** Why {@link #gpu} finds none, in one line; empty if it finds one. */
  public static Optional<String> gpuUnavailable() {
    List<KernelProvider> gpus = gpus();
    if (gpus.isEmpty()) {
      return Optional.of("there are no kernels for one on the class path");
    }
    return gpus.stream().anyMatch(provider -> provider.unavailable().isEmpty())
        ? Optional.empty()
        : gpus.get(0).unavailable();
  }

  /** GPUs that this process can compute on. */
  public static int gpuCount() {
    return usable().map(KernelProvider::devices).orElse(0);
  }

  /** What each of them is and how fast it multiplies, measured now, in one line. */
  public static List<String> describeGpus() {
    return usable()
        .map(
            provider ->
                IntStream.range(0, provider.devices()).mapToObj(provider::describe).toList())
        .orElse(List.of());
  }

  private static Optional<KernelProvider> usable() {
    return gpus().stream().filter(provider -> provider.unavailable().isEmpty()).findFirst();
  }

  /** Preferred ones first. */
  private static List<KernelProvider> gpus() {
    return providers().stream()
        .filter(KernelProvider::gpu)
        .sorted(Comparator.comparingInt(KernelProvider::priority).reversed())
        .toList();
  }

  private static List<KernelProvider> providers() {
    return ServiceLoader.load(KernelProvider.class, KernelProvider.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .toList();
  }

  /** Such as {@code portable and vector}. */
  private static String known() {
    String names =
        providers().stream().map(KernelProvider::name).sorted().collect(Collectors.joining(", "));
    int last = names.lastIndexOf(", ");
    return last < 0 ? names : names.substring(0, last) + " and " + names.substring(last + 2);
  }
}
