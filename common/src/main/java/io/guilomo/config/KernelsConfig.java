package io.guilomo.config;

import io.guilomo.model.ConstantName;

/**
 * How processors compute; {@code guilomo.kernels}.
 *
 * @param products library that multiplies matrices
 */
public record KernelsConfig(Products products) {

  /** A library that multiplies matrices. */
  public enum Products {
    /** The one that is known to be faster on this kind of processor. Nothing is timed. */
    AUTO,
    ONEDNN,
    /** MKL, or OpenBLAS where ND4J has loaded that. */
    BLAS;

    @Override
    public String toString() {
      return ConstantName.of(this);
    }
  }

  static KernelsConfig of(ConfigSection section) {
    return new KernelsConfig(section.oneOf("products", Products.class));
  }
}
