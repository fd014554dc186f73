package io.guilomo.network.block;

import io.guilomo.kernel.Activation;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import io.guilomo.network.moe.ModuleGroup;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Two linear layers with an activation between them. */
public final class Mlp implements Residual.Branch {

  private final Activation activation;
  private final boolean gated;
  private final ModuleGroup input;
  private final ModuleGroup output;
  private final WorkingArray inner;
  private final WorkingArray activatedArray;
  private final WorkingArray dActivated;
  private PassContext context;
  private INDArray hidden;
  private INDArray activated;

  private Mlp(
      TransformerBlock block,
      Activation activation,
      boolean gated,
      ModuleGroup input,
      ModuleGroup output) {
    this.activation = activation;
    this.gated = gated;
    this.input = input;
    this.output = output;
    int width = gated ? input.outFeatures() / 2 : input.outFeatures();
    this.inner = block.declarations().saved("mlpIn", input.outFeatures());
    this.activatedArray = block.declarations().saved("activated", width);
    this.dActivated = block.declarations().scratch("dInner", width);
  }

  /** {@code activation(x)} between the layers. */
  public static Mlp plain(
      TransformerBlock block, Activation activation, ModuleGroup input, ModuleGroup output) {
    return new Mlp(block, activation, false, input, output);
  }

  /**
   * {@code activation(gate) ⊙ up} between the layers (arXiv 2002.05202).
   *
   * @param gateUp gate, then up
   */
  public static Mlp gated(
      TransformerBlock block, Activation activation, ModuleGroup gateUp, ModuleGroup output) {
    return new Mlp(block, activation, true, gateUp, output);
  }

  @Override
  public void attach(PassContext shared) {
    context = shared;
  }

  @Override
  public void forward(INDArray x, INDArray y, boolean accumulate) {
    hidden = context.array(inner);
    input.forward(x, hidden, false);
    activated = context.array(activatedArray);
    if (gated) {
      context.kernels().gated(activation, hidden, activated);
    } else {
      context.kernels().activate(activation, hidden, activated);
    }
    if (y != null) {
      output.forward(activated, y, accumulate);
    }
  }

  @Override
  public void backward(INDArray d, INDArray x, INDArray dx, boolean accumulate) {
    INDArray dy = context.array(dActivated);
    output.backward(d, activated, dy, false);
    input.backward(dInner(dy), x, dx, accumulate);
  }

  /** The gradient by what is activated, in one of the arrays that nothing reads again. */
  private INDArray dInner(INDArray dy) {
    Kernels kernels = context.kernels();
    if (gated) {
      kernels.gatedBackward(activation, dy, hidden, hidden);
      return hidden;
    }
    kernels.activateBackward(activation, dy, hidden, dy);
    return dy;
  }
}
