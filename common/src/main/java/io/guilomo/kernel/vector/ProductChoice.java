package io.guilomo.kernel.vector;

import io.guilomo.config.KernelsConfig;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Chooses between oneDNN and the library that ND4J has loaded. Nothing is timed: another choice
 * would have other bits, and a training that resumes on the same machine must make the same one.
 *
 * <p>On AMD's processors with AVX-512, MKL does not use their full width, and oneDNN is 1.6 to 2.6
 * times as fast on products of a step. On Intel's it has not been measured, and MKL stays.
 */
final class ProductChoice {
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
  private static final String INTEL = "GenuineIntel";

  private ProductChoice() {}

  /**
   * The library.
   *
   * @throws UserException if oneDNN is wanted and cannot be loaded
   */
  static Products of(KernelsConfig.Products wanted) {
    // First: libraries that are loaded later use the OpenMP runtime that it brings.
    BlasProducts blas = new BlasProducts();
    if (wanted == KernelsConfig.Products.BLAS) {
      return blas;
    }
    Optional<String> reason = OneDnnProducts.unavailable();
    if (wanted == KernelsConfig.Products.ONEDNN) {
      if (reason.isPresent()) {
        throw new UserException(
            "Cannot use guilomo.kernels.products = onednn: %s; set it to auto", reason.get());
      }
      return new OneDnnProducts();
    }
    return reason.isEmpty() && OneDnnProducts.wideVectors() && !intel()
        ? new OneDnnProducts()
        : blas;
  }

  private static boolean intel() {
    try {
      return Files.readString(PROCESSORS, StandardCharsets.UTF_8).contains(INTEL);
    } catch (IOException e) {
      return true;
    }
  }
}
