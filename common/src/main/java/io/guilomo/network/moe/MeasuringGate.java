package io.guilomo.network.moe;

import io.guilomo.kernel.Kernels;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.Initialisation;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The gate under which all candidates train as in fine-tuning while the gradients of the masks are
 * measured: there is no λ, {@code A} starts Kaiming-uniform and {@code B} at 0.
 *
 * <pre>
 *   logits + m      coefficients = s ⊙ n
 * </pre>
 */
final class MeasuringGate extends SelectionGate {

  MeasuringGate(ModuleExperts spec, Selection selection, ArrayDeclarations arrays) {
    super(spec, selection, arrays);
  }

  @Override
  public Initialisation initialA() {
    return Initialisation.KAIMING_UNIFORM;
  }

  @Override
  public Initialisation initialB() {
    return Initialisation.ZERO;
  }

  @Override
  public INDArray coefficients() {
    INDArray coefficients = context.array(product);
    context.kernels().multiply(scalings, masks.ranks(), coefficients);
    return coefficients;
  }

  @Override
  public void backward(INDArray dLogits) {
    Kernels kernels = context.kernels();
    kernels.multiply(coefficientsGradient(), scalings, masks.ranksGradient());
    kernels.columnSums(dLogits, masks.expertsGradient());
  }
}
