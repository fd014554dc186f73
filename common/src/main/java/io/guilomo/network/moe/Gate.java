package io.guilomo.network.moe;

import io.guilomo.network.Initialisation;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.PassContext;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How much of the experts and ranks of one module a pass uses: what is added to the router's logits
 * and the factor on each rank, and the gradients of both.
 */
interface Gate {

  /** How {@code A} starts. */
  Initialisation initialA();

  /** How {@code B} starts. */
  Initialisation initialB();

  /**
   * Appends the module's parameters that belong to the gate.
   *
   * @param prefix of the names of the module's parameters
   */
  default void addParameters(String prefix, ParameterLayout layout) {}

  /**
   * Called once before the first pass.
   *
   * @param parameters what {@code layout} describes
   * @param scalings {@code s [R]}, rank by rank
   */
  void attach(PassContext context, INDArray parameters, ParameterLayout layout, INDArray scalings);

  /** Called when the gradient is known, or again when it has moved. */
  default void attachGradient(INDArray gradient, ParameterLayout layout) {}

  /** Added to the logits of every token, {@code [experts]}; null for none. */
  default INDArray logitMask() {
    return null;
  }

  /** Factor on each rank, {@code [R]}; the next module's gate may overwrite it. */
  INDArray coefficients();

  /** Where {@link #backward} expects {@code ∂L/∂coefficients [R]}; null if it does not. */
  default INDArray coefficientsGradient() {
    return null;
  }

  /**
   * Makes the gate's gradients of {@link #coefficientsGradient} and of {@code ∂L/∂logits [T,
   * experts]}.
   */
  default void backward(INDArray dLogits) {}

  /**
   * Lets everything pass, as in fine-tuning: {@code coefficients = s}, no mask. {@code A} starts
   * Kaiming-uniform and {@code B} at 0.
   */
  final class Open implements Gate {

    private INDArray scalings;

    @Override
    public Initialisation initialA() {
      return Initialisation.KAIMING_UNIFORM;
    }

    @Override
    public Initialisation initialB() {
      return Initialisation.ZERO;
    }

    @Override
    public void attach(
        PassContext context, INDArray parameters, ParameterLayout layout, INDArray values) {
      this.scalings = values;
    }

    @Override
    public INDArray coefficients() {
      return scalings;
    }
  }
}
