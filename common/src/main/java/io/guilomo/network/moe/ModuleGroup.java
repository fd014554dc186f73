package io.guilomo.network.moe;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Frozen linear modules that read the same input (q, k, v; gate, up; or one alone) and the experts
 * on them, in the stacked form: one product for the frozen weights of all, one for all {@code A},
 * one for all routers.
 *
 * <pre>
 *   p̂ = route(x Gᵀ + m)      Z = (drop(x) Aᵀ) ⊙ (p̂ · s · λ · n)      y = x Wᵀ + b + Z Bᵀ
 * </pre>
 *
 * (arXiv 2506.14646, eq. 1–4; {@link Gate} and {@link Router} say what {@code m, λ, n} and {@code
 * route} are.) Modules that share an input share its dropout mask. Where experts share their {@code
 * A}, {@code drop(x Aᵀ)} takes the place of {@code drop(x) Aᵀ}: {@link SharedA}.
 */
public final class ModuleGroup {

  private final ParameterLayout layout;
  private final List<StackedExperts> members = new ArrayList<>();
  private final int inFeatures;
  private final int outFeatures;
  private final int rowsOfA;
  private final int ranks;
  private final int experts;
  private final long offsetA;
  private final long offsetG;
  private final List<WorkingArray> arrays = new ArrayList<>();
  private final TokenThreshold threshold;
  private DownProjection projection;
  private WorkingArray logitsArray;
  private WorkingArray zArray;
  private PassContext context;
  private FrozenMatrix weight;
  private INDArray bias;
  private INDArray g;
  private INDArray gradientG;

  /**
   * @param name of the group, unique in the network; its dropout mask depends on it
   * @param modules in the order in which the backbone stacks their weights
   * @param mixture the experts on them
   * @param layout where the parameters are appended
   */
  public ModuleGroup(
      String name, List<LinearModule> modules, Mixture mixture, ParameterLayout layout) {
    this.layout = layout;
    this.inFeatures = modules.get(0).inFeatures();
    ArrayDeclarations own = new ArrayDeclarations(name);
    this.threshold = mixture.threshold(modules, own);
    List<ModuleExperts> all = new ArrayList<>();
    int column = 0;
    int rank = 0;
    int expert = 0;
    for (LinearModule module : modules) {
      ModuleExperts put = mixture.on(module);
      if (put != null) {
        all.add(put);
        members.add(new StackedExperts(put, mixture, threshold, column, rank, expert));
        rank += put.totalRank();
        expert += put.experts();
      }
      column += module.outFeatures();
    }
    this.outFeatures = column;
    this.rowsOfA = all.stream().mapToInt(ModuleExperts::rowsOfA).sum();
    this.ranks = rank;
    this.experts = expert;
    offsetA = layout.size();
    members.forEach(member -> member.addA(layout));
    offsetG = layout.size();
    members.forEach(member -> member.addRouter(layout));
    members.forEach(member -> member.addRest(layout));
    if (!members.isEmpty()) {
      projection = mixture.projection(name, all, own);
      declare(own);
    }
  }

  private void declare(ArrayDeclarations own) {
    logitsArray = own.scratch("logits", experts);
    zArray = own.scratch("z", ranks);
    arrays.addAll(own.declared());
    members.forEach(member -> arrays.addAll(member.arrays()));
  }

  /** The working arrays of the group. */
  public List<WorkingArray> arrays() {
    return arrays;
  }

  /**
   * @param frozen {@code [Σ out, in]}
   * @param frozenBias {@code [Σ out]} or null
   */
  public void attach(
      PassContext shared, INDArray parameters, FrozenMatrix frozen, INDArray frozenBias) {
    this.context = shared;
    this.weight = frozen;
    this.bias = frozenBias;
    if (!members.isEmpty()) {
      projection.attach(shared, ArrayViews.slice(parameters, offsetA, rowsOfA, inFeatures));
      g = ArrayViews.slice(parameters, offsetG, experts, inFeatures);
      members.forEach(member -> member.attach(shared, parameters, layout));
      if (threshold != null) {
        threshold.attach(shared);
      }
    }
  }

  public void attachGradient(INDArray gradient) {
    if (!members.isEmpty()) {
      projection.attachGradient(ArrayViews.slice(gradient, offsetA, rowsOfA, inFeatures));
      gradientG = ArrayViews.slice(gradient, offsetG, experts, inFeatures);
      members.forEach(member -> member.attachGradient(gradient, layout));
    }
  }

  public int outFeatures() {
    return outFeatures;
  }

  /**
   * @param x {@code [T, in]}
   * @param y {@code [T, Σ out]}, written or, if {@code accumulate}, added to
   */
  public void forward(INDArray x, INDArray y, boolean accumulate) {
    Kernels kernels = context.kernels();
    kernels.matmul(x, weight, y, accumulate);
    if (bias != null) {
      kernels.addBias(y, bias);
    }
    if (members.isEmpty()) {
      return;
    }
    INDArray logits = context.array(logitsArray);
    INDArray z = context.array(zArray);
    if (!context.recomputes()) {
      projection.forward(x);
      kernels.product(x, false, g, true, logits, false);
      if (threshold != null) {
        threshold.forward(x);
      }
    }
    INDArray h = projection.read();
    for (StackedExperts member : members) {
      member.forward(x, h, logits, z, y);
    }
  }

  /**
   * @param dy {@code [T, Σ out]}
   * @param x the input of the forward pass
   * @param dx {@code [T, in]}, written or, if {@code accumulate}, added to; null if not wanted
   */
  public void backward(INDArray dy, INDArray x, INDArray dx, boolean accumulate) {
    Kernels kernels = context.kernels();
    if (dx != null) {
      kernels.matmulBackward(dy, weight, dx, accumulate);
    }
    if (members.isEmpty()) {
      return;
    }
    INDArray h = projection.read();
    INDArray dLogits = context.array(logitsArray);
    INDArray dh = context.array(zArray);
    if (threshold != null) {
      threshold.beginBackward();
    }
    for (StackedExperts member : members) {
      member.backward(dy, x, h, dh, dLogits, dx);
    }
    if (threshold != null) {
      threshold.backward(x, dx);
    }
    if (context.wantsWeights()) {
      kernels.product(dLogits, true, x, false, gradientG, false);
    }
    if (dx != null) {
      kernels.product(dLogits, false, g, false, dx, true);
    }
    projection.backward(dh, x, dx);
  }
}
