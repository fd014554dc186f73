package io.guilomo.network.moe;

import io.guilomo.kernel.Kernels;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.Initialisation;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The gate under which all candidates train as in fine-tuning while the gradients of the masks are
 * measured: there is no λ, {@code A} starts Kaiming-uniform and {@code B} at 0.
 *
 * <pre>
 *   logits + m      coefficients = s ⊙ n
 * </pre>
 */
final class MeasuringGate implements Gate {

  private final ModuleExperts spec;
  private final Selection selection;
  private final WorkingArray coefficients;
  private final WorkingArray dCoefficients;
  private PassContext context;
  private Selection.Masks masks;
  private INDArray scalings;

  MeasuringGate(ModuleExperts spec, Selection selection, ArrayDeclarations arrays) {
    this.spec = spec;
    this.selection = selection;
    this.coefficients = arrays.vector("coefficients", spec.totalRank());
    this.dCoefficients = arrays.vector("dCoefficients", spec.totalRank());
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
  public void attach(
      PassContext shared, INDArray parameters, ParameterLayout layout, INDArray values) {
    this.context = shared;
    this.scalings = values;
    this.masks = selection.masks(spec.module());
  }

  @Override
  public INDArray logitMask() {
    return masks.experts();
  }

  @Override
  public INDArray coefficients() {
    INDArray product = context.array(coefficients);
    context.kernels().multiply(scalings, masks.ranks(), product);
    return product;
  }

  @Override
  public INDArray coefficientsGradient() {
    return context.array(dCoefficients);
  }

  @Override
  public void backward(INDArray dLogits) {
    Kernels kernels = context.kernels();
    kernels.multiply(coefficientsGradient(), scalings, masks.ranksGradient());
    kernels.columnSums(dLogits, masks.expertsGradient());
  }
}
