package io.guilomo.network.moe;

import io.guilomo.network.PassContext;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The product with the {@code A} of the modules that read one input, dropout included. */
abstract class DownProjection {

  /** Context of the replica; set by {@link #attach}. */
  PassContext context;

  /** {@code A} of all modules, {@code [Σ rows of A, in]}. */
  INDArray a;

  INDArray gradientA;

  final void attach(PassContext shared, INDArray view) {
    this.context = shared;
    this.a = view;
  }

  /**
   * @param gradient {@code ∂L/∂A}
   */
  final void attachGradient(INDArray gradient) {
    this.gradientA = gradient;
  }

  /**
   * @param x {@code [T, in]}
   */
  abstract void forward(INDArray x);

  /**
   * What the experts read of the last forward pass, {@code [T, Σ R]}. What they write over it, the
   * next call may leave.
   */
  abstract INDArray read();

  /**
   * Writes {@code ∂L/∂A} where the pass asks for it.
   *
   * @param dh by what the experts have {@link #read}
   * @param x that of the forward pass
   * @param dx what goes through {@code A} is added to it; null if not wanted
   */
  abstract void backward(INDArray dh, INDArray x, INDArray dx);
}
