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
 * The gate of the search stage (arXiv 2506.14646, section 3.2): the masks that a {@link Selection}
 * makes of the module's GuidedSelection Vectors, and the diagonal λ:
 *
 * <pre>
 *   logits + m      coefficients = s ⊙ λ ⊙ n
 * </pre>
 *
 * {@code A} and {@code B} start normal, λ at 1.
 */
final class MaskedGate implements Gate {

  private final ModuleExperts spec;
  private final Selection selection;
  private final WorkingArray coefficients;
  private final WorkingArray dCoefficients;
  private String lambdaName;
  private PassContext context;
  private Selection.Masks masks;
  private INDArray scalings;
  private INDArray lambda;
  private INDArray gradientLambda;

  MaskedGate(ModuleExperts spec, Selection selection, ArrayDeclarations arrays) {
    this.spec = spec;
    this.selection = selection;
    this.coefficients = arrays.vector("coefficients", spec.totalRank());
    this.dCoefficients = arrays.vector("dCoefficients", spec.totalRank());
  }

  @Override
  public Initialisation initialA() {
    return Initialisation.NORMAL;
  }

  @Override
  public Initialisation initialB() {
    return Initialisation.NORMAL;
  }

  @Override
  public void addParameters(String prefix, ParameterLayout layout) {
    lambdaName = prefix + "lambda";
    layout.add(lambdaName, Initialisation.ONE, spec.totalRank());
  }

  @Override
  public void attach(
      PassContext shared, INDArray parameters, ParameterLayout layout, INDArray values) {
    this.context = shared;
    this.scalings = values;
    this.lambda = layout.view(parameters, lambdaName);
    this.masks = selection.masks(spec.module());
  }

  @Override
  public void attachGradient(INDArray gradient, ParameterLayout layout) {
    gradientLambda = layout.view(gradient, lambdaName);
  }

  @Override
  public INDArray logitMask() {
    return masks.experts();
  }

  @Override
  public INDArray coefficients() {
    INDArray product = context.array(coefficients);
    context.kernels().multiply(scalings, lambda, product);
    context.kernels().multiply(product, masks.ranks(), product);
    return product;
  }

  @Override
  public INDArray coefficientsGradient() {
    return context.array(dCoefficients);
  }

  @Override
  public void backward(INDArray dLogits) {
    Kernels kernels = context.kernels();
    INDArray d = coefficientsGradient();
    kernels.multiply(d, scalings, d);
    if (context.wantsWeights()) {
      kernels.multiply(d, masks.ranks(), gradientLambda);
    }
    kernels.multiply(d, lambda, masks.ranksGradient());
    kernels.columnSums(dLogits, masks.expertsGradient());
  }
}
