package io.guilomo.kernel;

/** Activation functions of feed-forward layers, elementwise. */
public enum Activation {
  /** {@code x · σ(x)} (arXiv 1606.08415, 1710.05941). */
  SILU,

  /** Exact GELU, {@code x · Φ(x)} (arXiv 1606.08415). */
  GELU,

  /** GELU by its approximation, {@code x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))}. */
  GELU_TANH,

  /** {@code max(x, 0)}, whose slope at 0 is 0. */
  RELU,

  /** {@code tanh(x)}. */
  TANH
}
