package io.guilomo.kernel.vector;

import io.guilomo.config.KernelsConfig;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The libraries that multiply, chosen between oneDNN and the one that ND4J has loaded. Nothing is
 * timed: another choice would have other bits, and a training that resumes on the same machine must
 * make the same one.
 *
 * @param floats of 32 bits
 * @param bfloat16 null where it would not be faster
 */
record ProductLibraries(Products floats, Bfloat16Products bfloat16) {
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
  private static final String INTEL = "GenuineIntel";
  private static Bfloat16Products opened;

  /**
   * Chooses. On AMD's processors with AVX-512, MKL does not use their full width, and oneDNN is 1.6
   * to 2.6 times as fast on products of a step. On Intel's it has not been measured, and MKL stays.
   *
   * @throws UserException if oneDNN is wanted and cannot be loaded
   */
  static ProductLibraries of(KernelsConfig.Products wanted) {
    // First: libraries that are loaded later use the OpenMP runtime that it brings.
    BlasProducts blas = new BlasProducts();
    if (wanted == KernelsConfig.Products.BLAS) {
      return new ProductLibraries(blas, null);
    }
    Optional<String> reason = OneDnnProducts.unavailable();
    if (reason.isPresent()) {
      if (wanted == KernelsConfig.Products.ONEDNN) {
        throw new UserException(
            "Cannot use guilomo.kernels.products = onednn: %s; set it to auto", reason.get());
      }
      return new ProductLibraries(blas, null);
    }
    boolean faster =
        wanted == KernelsConfig.Products.ONEDNN || (OneDnnProducts.wideVectors() && !intel());
    return new ProductLibraries(
        faster ? new OneDnnProducts() : blas, Bfloat16Products.fast() ? open() : null);
  }

  private static synchronized Bfloat16Products open() {
    if (opened == null) {
      opened = new Bfloat16Products();
    }
    return opened;
  }

  private static boolean intel() {
    try {
      return Files.readString(PROCESSORS, StandardCharsets.UTF_8).contains(INTEL);
    } catch (IOException e) {
      return true;
    }
  }
}
