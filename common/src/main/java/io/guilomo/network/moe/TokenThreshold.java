package io.guilomo.network.moe;

import io.guilomo.kernel.Activation;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Runs the network of {@link Thresholds} for the modules of one {@link ModuleGroup}, which read the
 * same input and so have the same {@code z}.
 */
final class TokenThreshold {

  private final Thresholds thresholds;
  private final int inFeatures;
  private final WorkingArray hidden;
  private final WorkingArray value;
  private final WorkingArray dHidden;
  private final WorkingArray dValue;
  private final WorkingArray hiddenSums;
  private final WorkingArray valueSum;
  private PassContext context;

  TokenThreshold(Thresholds thresholds, int inFeatures, ArrayDeclarations arrays) {
    this.thresholds = thresholds;
    this.inFeatures = inFeatures;
    this.hidden = arrays.kept("thresholdHidden", Thresholds.HIDDEN);
    this.value = arrays.kept("threshold", 1);
    this.dHidden = arrays.scratch("dThresholdHidden", Thresholds.HIDDEN);
    this.dValue = arrays.scratch("dThreshold", 1);
    this.hiddenSums = arrays.vector("thresholdHiddenSums", Thresholds.HIDDEN);
    this.valueSum = arrays.vector("thresholdSum", 1);
  }

  void attach(PassContext shared) {
    this.context = shared;
  }

  /** {@code z [T, 1]} of the pass. */
  INDArray value() {
    return context.array(value);
  }

  /** {@code ∂L/∂z [T, 1]}, to which each router adds. */
  INDArray gradient() {
    return context.array(dValue);
  }

  /**
   * @param x {@code [T, in]}
   */
  void forward(INDArray x) {
    Kernels kernels = context.kernels();
    Thresholds.Network network = thresholds.network(inFeatures);
    INDArray h = context.array(hidden);
    kernels.product(x, false, network.hidden(), true, h, false);
    kernels.addBias(h, network.hiddenBias());
    kernels.activate(Activation.RELU, h, h);
    kernels.product(h, false, network.output(), true, value(), false);
    kernels.addBias(value(), network.outputBias());
  }

  /** Before the routers add to {@link #gradient}. */
  void beginBackward() {
    context.kernels().fill(gradient(), 0);
  }

  /**
   * After the routers have added to {@link #gradient}.
   *
   * @param dx {@code [T, in]}, added to; null if not wanted
   */
  void backward(INDArray x, INDArray dx) {
    Kernels kernels = context.kernels();
    Thresholds.Network network = thresholds.network(inFeatures);
    INDArray h = context.array(hidden);
    INDArray dz = gradient();
    INDArray dh = context.array(dHidden);
    kernels.product(dz, false, network.output(), false, dh, false);
    // The slope of the ReLU is the same at its result.
    kernels.activateBackward(Activation.RELU, dh, h, dh);
    if (context.wantsWeights()) {
      Thresholds.Network gradients = thresholds.gradient(inFeatures);
      kernels.product(dh, true, x, false, gradients.hidden(), true);
      kernels.product(dz, true, h, false, gradients.output(), true);
      addSums(dh, context.array(hiddenSums), gradients.hiddenBias());
      addSums(dz, context.array(valueSum), gradients.outputBias());
    }
    if (dx != null) {
      kernels.product(dh, false, network.hidden(), false, dx, true);
    }
  }

  private void addSums(INDArray rows, INDArray sums, INDArray gradient) {
    context.kernels().columnSums(rows, sums);
    context.kernels().addScaled(gradient, 1, sums, gradient);
  }
}
