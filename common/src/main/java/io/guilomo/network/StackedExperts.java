package io.guilomo.network;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The experts and the router of one module, as column ranges of their group's products. */
final class StackedExperts {

  private final ModuleExperts spec;
  private final Stage stage;
  private final int firstColumn;
  private final int firstRank;
  private final int firstExpert;
  private final int ranks;
  private final int[] firstColumns;
  private final String prefix;
  private PassContext context;
  private INDArray scalings;
  private INDArray b;
  private INDArray lambda;
  private INDArray gradientB;
  private INDArray gradientLambda;
  private Selection.Masks masks;

  /**
   * @param firstColumn where the module's outputs begin among its group's
   * @param firstRank where its ranks begin among its group's
   * @param firstExpert where its experts begin among its group's
   */
  StackedExperts(ModuleExperts spec, Stage stage, int firstColumn, int firstRank, int firstExpert) {
    this.spec = spec;
    this.stage = stage;
    this.firstColumn = firstColumn;
    this.firstRank = firstRank;
    this.firstExpert = firstExpert;
    this.ranks = spec.totalRank();
    this.firstColumns = spec.firstColumns();
    this.prefix = PartNames.prefix(spec.module());
  }

  int firstColumn() {
    return firstColumn;
  }

  int firstRank() {
    return firstRank;
  }

  int firstExpert() {
    return firstExpert;
  }

  int ranks() {
    return ranks;
  }

  int experts() {
    return spec.experts();
  }

  int outFeatures() {
    return spec.module().outFeatures();
  }

  void addA(ParameterLayout layout) {
    Initialisation initialisation =
        search() ? Initialisation.NORMAL : Initialisation.KAIMING_UNIFORM;
    layout.add(prefix + "A", initialisation, ranks(), spec.module().inFeatures());
  }

  void addRouter(ParameterLayout layout) {
    layout.add(
        prefix + "router", Initialisation.KAIMING_UNIFORM, experts(), spec.module().inFeatures());
  }

  void addRest(ParameterLayout layout) {
    layout.add(
        prefix + "B",
        search() ? Initialisation.NORMAL : Initialisation.ZERO,
        outFeatures(),
        ranks());
    if (search()) {
      layout.add(prefix + "lambda", Initialisation.ONE, ranks());
    }
  }

  private boolean search() {
    return stage == Stage.SEARCH;
  }

  void attach(PassContext shared, INDArray parameters, ParameterLayout layout) {
    this.context = shared;
    shared.measurements().add(spec.module(), experts());
    this.b = view(parameters, layout, "B");
    this.lambda = search() ? view(parameters, layout, "lambda") : null;
    this.masks = search() ? shared.selection().masks(spec.module()) : null;
    float[] values = new float[ranks()];
    for (int e = 0; e < experts(); e++) {
      Arrays.fill(
          values, firstColumns[e], firstColumns[e + 1], spec.scalings().get(e).floatValue());
    }
    this.scalings = shared.buffers().array(prefix + "scalings", ranks());
    shared.kernels().write(values, scalings);
  }

  void attachGradient(INDArray gradient, ParameterLayout layout) {
    gradientB = view(gradient, layout, "B");
    gradientLambda = search() ? view(gradient, layout, "lambda") : null;
  }

  private INDArray view(INDArray flat, ParameterLayout layout, String parameter) {
    ParameterLayout.Slice slice = layout.slice(prefix + parameter);
    return ArrayViews.stretch(flat, slice.offset(), slice.shape());
  }

  /** {@code y += ((h ⊙ p̂ s λ n) Bᵀ}; {@code z [T, R]} is scratch. */
  void forward(INDArray h, INDArray logits, INDArray z, INDArray y) {
    Kernels kernels = context.kernels();
    Measurements measurements = context.measurements();
    INDArray probabilities = buffer("routing", h.rows(), experts());
    INDArray weights = buffer("weights", h.rows(), experts());
    kernels.route(
        logits,
        masks == null ? null : masks.experts(),
        spec.routed(),
        context.replays(),
        context.choice(spec.module(), spec.routed()),
        probabilities,
        weights,
        measurements.statistics(spec.module()));
    if (context.measuresEntropy()) {
      kernels.entropy(probabilities, measurements.entropy(spec.module()));
    }
    kernels.scaleExperts(h, weights, coefficients(), firstColumns, z);
    kernels.product(z, false, b, true, y, true);
  }

  /**
   * Writes {@code dh}, {@code dLogits} and the gradients of {@code B}, λ and the masks; {@code h}
   * is overwritten.
   */
  void backward(INDArray dy, INDArray h, INDArray dh, INDArray dLogits) {
    Kernels kernels = context.kernels();
    INDArray probabilities = buffer("routing", h.rows(), experts());
    INDArray weights = buffer("weights", h.rows(), experts());
    INDArray dWeights = context.buffers().array("dWeights", h.rows(), experts());
    INDArray dCoefficients = search() ? context.buffers().array("dCoefficients", ranks()) : null;
    kernels.product(dy, false, b, false, dh, false);
    kernels.scaleExpertsBackward(
        dh,
        h,
        context.wantsWeights(),
        weights,
        coefficients(),
        firstColumns,
        dWeights,
        dCoefficients);
    if (context.wantsWeights()) {
      kernels.product(dy, true, h, false, gradientB, false);
    }
    kernels.routeBackward(
        dWeights,
        context.measurements().balance(spec.module()),
        spec.routed(),
        context.choice(spec.module(), spec.routed()),
        probabilities,
        weights,
        dLogits);
    if (search()) {
      kernels.multiply(dCoefficients, scalings, dCoefficients);
      if (context.wantsWeights()) {
        kernels.multiply(dCoefficients, masks.ranks(), gradientLambda);
      }
      kernels.multiply(dCoefficients, lambda, masks.ranksGradient());
      kernels.columnSums(dLogits, masks.expertsGradient());
    }
  }

  /** {@code s ⊙ λ ⊙ n [R]}. */
  private INDArray coefficients() {
    if (!search()) {
      return scalings;
    }
    INDArray coefficients = context.buffers().array("coefficients", ranks());
    context.kernels().multiply(scalings, lambda, coefficients);
    context.kernels().multiply(coefficients, masks.ranks(), coefficients);
    return coefficients;
  }

  private INDArray buffer(String kind, long rows, long columns) {
    return context.saved(prefix, kind, rows, columns);
  }
}
