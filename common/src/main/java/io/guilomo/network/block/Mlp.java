package io.guilomo.network.block;

import io.guilomo.kernel.Kernels;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import io.guilomo.network.moe.ModuleGroup;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Two linear layers with an activation between them. */
public final class Mlp implements Residual.Branch {

  /** What is between the layers. */
  public enum Activation {
    /** {@code silu(gate) ⊙ up} of a first layer of both (arXiv 2002.05202). */
    SWIGLU {
      @Override
      int inputs() {
        return 2;
      }

      @Override
      void forward(Kernels kernels, INDArray x, INDArray y) {
        kernels.gated(io.guilomo.kernel.Activation.SILU, x, y);
      }

      @Override
      INDArray backward(Kernels kernels, INDArray dy, INDArray x) {
        kernels.gatedBackward(io.guilomo.kernel.Activation.SILU, dy, x, x);
        return x;
      }
    },
    /** Exact GELU, {@code x · Φ(x)} (arXiv 1606.08415). */
    GELU {
      @Override
      int inputs() {
        return 1;
      }

      @Override
      void forward(Kernels kernels, INDArray x, INDArray y) {
        kernels.activate(io.guilomo.kernel.Activation.GELU, x, y);
      }

      @Override
      INDArray backward(Kernels kernels, INDArray dy, INDArray x) {
        kernels.activateBackward(io.guilomo.kernel.Activation.GELU, dy, x, dy);
        return dy;
      }
    };

    /** Features that it reads for each that it writes. */
    abstract int inputs();

    abstract void forward(Kernels kernels, INDArray x, INDArray y);

    /** The gradient by {@code x}, in either of the arrays. */
    abstract INDArray backward(Kernels kernels, INDArray dy, INDArray x);
  }

  private final Activation activation;
  private final ModuleGroup input;
  private final ModuleGroup output;
  private final WorkingArray inner;
  private final WorkingArray activatedArray;
  private final WorkingArray dActivated;
  private PassContext context;
  private INDArray hidden;
  private INDArray activated;

  /**
   * @param input the first layer; gate, then up, of a gated one
   */
  public Mlp(TransformerBlock block, Activation activation, ModuleGroup input, ModuleGroup output) {
    this.activation = activation;
    this.input = input;
    this.output = output;
    int width = input.outFeatures() / activation.inputs();
    this.inner = block.declarations().saved("mlpIn", input.outFeatures());
    this.activatedArray = block.declarations().saved("activated", width);
    this.dActivated = block.declarations().scratch("dActivated", width);
  }

  @Override
  public void attach(PassContext shared) {
    context = shared;
  }

  @Override
  public void forward(INDArray x, INDArray sum) {
    hidden = context.array(inner);
    input.forward(x, hidden, false);
    activated = context.array(activatedArray);
    activation.forward(context.kernels(), hidden, activated);
    output.forward(activated, sum, true);
  }

  @Override
  public void backward(INDArray d, INDArray x, INDArray dx, boolean accumulate) {
    INDArray dy = context.array(dActivated);
    output.backward(d, activated, dy, false);
    input.backward(activation.backward(context.kernels(), dy, hidden), x, dx, accumulate);
  }
}
