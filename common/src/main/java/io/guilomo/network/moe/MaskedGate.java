package io.guilomo.network.moe;

import io.guilomo.kernel.Kernels;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.Initialisation;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.PassContext;
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
final class MaskedGate extends SelectionGate {

  private final int ranks;
  private String lambdaName;
  private INDArray lambda;
  private INDArray gradientLambda;

  MaskedGate(ModuleExperts spec, Selection selection, ArrayDeclarations arrays) {
    super(spec, selection, arrays);
    this.ranks = spec.totalRank();
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
    layout.add(lambdaName, Initialisation.ONE, ranks);
  }

  @Override
  public void attach(
      PassContext shared, INDArray parameters, ParameterLayout layout, INDArray values) {
    super.attach(shared, parameters, layout, values);
    this.lambda = layout.view(parameters, lambdaName);
  }

  @Override
  public void attachGradient(INDArray gradient, ParameterLayout layout) {
    gradientLambda = layout.view(gradient, lambdaName);
  }

  @Override
  public INDArray coefficients() {
    INDArray coefficients = context.array(product);
    context.kernels().multiply(scalings, lambda, coefficients);
    context.kernels().multiply(coefficients, masks.ranks(), coefficients);
    return coefficients;
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
