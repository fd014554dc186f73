package io.guilomo.network.moe;

import io.guilomo.kernel.Kernels;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.Initialisation;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.PartNames;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The experts of one module with its gate and its router: column ranges of what its group computes
 * for all of them.
 */
final class StackedExperts {

  private final ModuleExperts spec;
  private final int firstColumn;
  private final int firstRank;
  private final int firstExpert;
  private final int outFeatures;
  private final int ranks;
  private final int experts;
  private final int[] firstColumns;
  private final String prefix;
  private final ArrayDeclarations arrays;
  private final WorkingArray scalings;
  private final WorkingArray weights;
  private final WorkingArray dWeights;
  private final Gate gate;
  private final Router router;
  private PassContext context;
  private INDArray b;
  private INDArray gradientB;

  /**
   * @param threshold that the routers of its group share; null if none needs it
   * @param firstColumn of the module's outputs among its group's
   * @param firstRank of its ranks among its group's
   * @param firstExpert of its experts among its group's
   */
  StackedExperts(
      ModuleExperts spec,
      Mixture mixture,
      TokenThreshold threshold,
      int firstColumn,
      int firstRank,
      int firstExpert) {
    this.spec = spec;
    this.firstColumn = firstColumn;
    this.firstRank = firstRank;
    this.firstExpert = firstExpert;
    this.outFeatures = spec.module().outFeatures();
    this.ranks = spec.totalRank();
    this.experts = spec.experts();
    this.firstColumns = spec.firstColumns();
    this.prefix = PartNames.prefix(spec.module());
    this.arrays = new ArrayDeclarations(prefix);
    this.scalings = arrays.vector(prefix + "scalings", ranks);
    this.weights = arrays.kept("weights", experts);
    this.dWeights = arrays.scratch("dWeights", experts);
    this.gate = mixture.gate(spec, arrays);
    this.router = Mixture.router(spec, threshold, arrays);
  }

  List<WorkingArray> arrays() {
    return arrays.declared();
  }

  void addA(ParameterLayout layout) {
    layout.add(prefix + "A", gate.initialA(), spec.rowsOfA(), spec.module().inFeatures());
  }

  void addRouter(ParameterLayout layout) {
    layout.add(
        prefix + "router", Initialisation.KAIMING_UNIFORM, experts, spec.module().inFeatures());
  }

  void addRest(ParameterLayout layout) {
    layout.add(prefix + "B", gate.initialB(), outFeatures, ranks);
    gate.addParameters(prefix, layout);
    router.addParameters(prefix, layout);
  }

  void attach(PassContext shared, INDArray parameters, ParameterLayout layout) {
    this.context = shared;
    this.b = layout.view(parameters, prefix + "B");
    float[] values = new float[ranks];
    for (int e = 0; e < experts; e++) {
      Arrays.fill(
          values, firstColumns[e], firstColumns[e + 1], spec.scalings().get(e).floatValue());
    }
    INDArray s = shared.array(scalings);
    shared.kernels().write(values, s);
    gate.attach(shared, parameters, layout, s);
    router.attach(shared, parameters, layout);
  }

  void attachGradient(INDArray gradient, ParameterLayout layout) {
    gradientB = layout.view(gradient, prefix + "B");
    gate.attachGradient(gradient, layout);
    router.attachGradient(gradient, layout);
  }

  /**
   * {@code y += (h ⊙ (p̂ · coefficients)) Bᵀ} in the module's columns of the group's arrays. Where
   * it is computed again, {@code h} and {@code p̂} are those of the forward pass.
   *
   * @param x {@code [T, in]}
   * @param h what the group's experts {@link DownProjection#read}, {@code [T, Σ R]}
   * @param logits {@code x Gᵀ [T, Σ experts]}
   * @param z scratch, {@code [T, Σ R]}
   * @param y {@code [T, Σ out]}
   */
  void forward(INDArray x, INDArray h, INDArray logits, INDArray z, INDArray y) {
    Kernels kernels = context.kernels();
    INDArray p = context.array(weights);
    INDArray ownZ = ofRanks(z);
    if (!context.recomputes()) {
      router.forward(x, ofExperts(logits), gate.logitMask(), p);
    }
    kernels.scaleExperts(ofRanks(h), p, gate.coefficients(), firstColumns, ownZ);
    kernels.product(ownZ, false, b, true, context.columns(y, firstColumn, outFeatures), true);
  }

  /**
   * Backward of {@link #forward}; writes the gradients of the module's parameters but {@code A} and
   * {@code G}.
   *
   * @param h overwritten
   * @param dh result, {@code [T, Σ R]}
   * @param dLogits result, {@code [T, Σ experts]}
   * @param dx the router adds what does not go through {@code G}; null if not wanted
   */
  void backward(INDArray dy, INDArray x, INDArray h, INDArray dh, INDArray dLogits, INDArray dx) {
    Kernels kernels = context.kernels();
    INDArray p = context.array(weights);
    INDArray dp = context.array(dWeights);
    INDArray ownDy = context.columns(dy, firstColumn, outFeatures);
    INDArray ownDh = ofRanks(dh);
    INDArray ownDLogits = ofExperts(dLogits);
    kernels.product(ownDy, false, b, false, ownDh, false);
    kernels.scaleExpertsBackward(
        ownDh,
        ofRanks(h),
        context.wantsWeights(),
        p,
        gate.coefficients(),
        firstColumns,
        dp,
        gate.coefficientsGradient());
    if (context.wantsWeights()) {
      kernels.product(ownDy, true, ofRanks(h), false, gradientB, false);
    }
    router.backward(x, dp, p, ownDLogits, dx);
    gate.backward(ownDLogits);
  }

  private INDArray ofRanks(INDArray matrix) {
    return context.columns(matrix, firstRank, ranks);
  }

  private INDArray ofExperts(INDArray matrix) {
    return context.columns(matrix, firstExpert, experts);
  }
}
