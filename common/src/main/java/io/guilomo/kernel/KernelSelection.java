package io.guilomo.kernel;

import io.guilomo.config.KernelsConfig.Products;
import io.guilomo.model.ConstantName;
import io.guilomo.model.UserException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Selects the {@link KernelProvider} of a process by device and availability. The choice, and the
 * reason why each other provider is unavailable, is logged once per process.
 */
public class KernelSelection {
  /**
   * System property: name of a provider, such as {@code vector} or {@code portable}. If absent, the
   * fastest one that runs on this processor is used.
   */
  public static final String KERNELS = "guilomo.kernels";

  /**
   * System property: library that multiplies matrices where nothing else has been {@linkplain
   * #useProducts chosen}, as in {@code kernels.products} of the configuration.
   */
  public static final String PRODUCTS = "guilomo.products";

  private static final Logger LOG = LoggerFactory.getLogger(KernelSelection.class);
  private static final String PORTABLE = "portable";
  private static final Set<String> LOGGED = ConcurrentHashMap.newKeySet();
  private static volatile Products products;

  private KernelSelection() {}

  /**
   * The fastest kernels of the processors, or those that {@link #KERNELS} names. Select them before
   * the first matmul of the process: the linear algebra library takes settings only until then.
   */
  public static Kernels best() {
    String name = System.getProperty(KERNELS);
    if (name != null) {
      log("Computing with %s kernels: %s names them".formatted(name, KERNELS));
      return named(name);
    }
    KernelProvider fastest = usable(provider -> !provider.gpu()).stream().findFirst().orElseThrow();
    log(
        "Computing with %s kernels: the fastest that run on this processor"
            .formatted(fastest.name()));
    return fastest.open(0);
  }

  /** Has the processors' kernels that are selected from now on multiply with a library. */
  public static void useProducts(Products library) {
    products = library;
  }

  /**
   * The library that was chosen.
   *
   * @throws UserException if {@link #PRODUCTS} names none
   */
  public static Products products() {
    if (products != null) {
      return products;
    }
    String name = System.getProperty(PRODUCTS, Products.AUTO.toString());
    return ConstantName.find(Products.class, name)
        .orElseThrow(
            () ->
                new UserException(
                    "Cannot multiply with '%s' (%s): expected one of %s",
                    name, PRODUCTS, Arrays.toString(Products.values())));
  }

  /** Kernels that run everywhere; their arrays are the host's. */
  public static Kernels portable() {
    return named(PORTABLE);
  }

  /**
   * Kernels of the provider of that name.
   *
   * @throws UserException if there is none, or if it cannot be used here
   */
  public static Kernels named(String name) {
    for (KernelProvider provider : providers()) {
      if (provider.name().equals(name)) {
        Optional<String> reason = provider.unavailable();
        if (reason.isPresent()) {
          throw new UserException("Cannot use %s kernels: %s", name, reason.get());
        }
        return provider.open(0);
      }
    }
    throw new UserException(
        "Cannot use kernels '%s' (%s): expected one of %s",
        name,
        KERNELS,
        providers().stream().map(KernelProvider::name).sorted().collect(Collectors.joining(", ")));
  }

  /**
   * Kernels of a GPU.
   *
   * @param device its number among those that this process sees
   * @throws UserException if there is none that can be used
   */
  public static Kernels gpu(int device) {
    Optional<String> reason = gpuUnavailable();
    if (reason.isPresent()) {
      throw new UserException("Cannot compute on a GPU: " + reason.get());
    }
    KernelProvider provider = gpus().get(0);
    log("Computing with %s kernels on GPU %d".formatted(provider.name(), device));
    return provider.open(device);
  }

  /** Why {@link #gpu} finds none, in one line; empty if it finds one. */
  public static Optional<String> gpuUnavailable() {
    if (!gpus().isEmpty()) {
      return Optional.empty();
    }
    return providers().stream()
        .filter(KernelProvider::gpu)
        .max(Comparator.comparingInt(KernelProvider::priority))
        .map(KernelProvider::unavailable)
        .orElse(Optional.of("there are no kernels for one on the class path"));
  }

  public static int gpuCount() {
    return gpus().stream().findFirst().map(KernelProvider::devices).orElse(0);
  }

  /** One line about each GPU, including its matmul speed, measured by this call. */
  public static List<String> describeGpus() {
    return gpus().stream()
        .limit(1)
        .flatMap(provider -> IntStream.range(0, provider.devices()).mapToObj(provider::describe))
        .toList();
  }

  private static List<KernelProvider> gpus() {
    return usable(KernelProvider::gpu);
  }

  /** Preferred ones first. */
  private static List<KernelProvider> usable(Predicate<KernelProvider> wanted) {
    return providers().stream()
        .filter(wanted)
        .filter(KernelSelection::available)
        .sorted(Comparator.comparingInt(KernelProvider::priority).reversed())
        .toList();
  }

  private static boolean available(KernelProvider provider) {
    Optional<String> reason = provider.unavailable();
    reason.ifPresent(why -> log("Not using %s kernels: %s".formatted(provider.name(), why)));
    return reason.isEmpty();
  }

  private static void log(String line) {
    if (LOGGED.add(line)) {
      LOG.info(line);
    }
  }

  private static List<KernelProvider> providers() {
    return ServiceLoader.load(KernelProvider.class, KernelProvider.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .toList();
  }
}
