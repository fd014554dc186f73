package io.guilomo.network.moe;

import io.guilomo.data.Seeds;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.DropoutMask;
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
 * route} are.) Modules that share an input share its dropout mask.
 */
public final class ModuleGroup {

  private final double dropout;
  private final long stream;
  private final ParameterLayout layout;
  private final List<StackedExperts> members = new ArrayList<>();
  private final int inFeatures;
  private final int outFeatures;
  private final int ranks;
  private final int experts;
  private final long offsetA;
  private final long offsetG;
  private final List<WorkingArray> arrays = new ArrayList<>();
  private final TokenThreshold threshold;
  private WorkingArray hArray;
  private WorkingArray logitsArray;
  private WorkingArray zArray;
  private WorkingArray droppedArray;
  private PassContext context;
  private FrozenMatrix weight;
  private INDArray bias;
  private INDArray a;
  private INDArray g;
  private INDArray gradientA;
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
    this.dropout = mixture.dropout();
    this.stream = name.hashCode();
    this.inFeatures = modules.get(0).inFeatures();
    ArrayDeclarations own = new ArrayDeclarations(name);
    this.threshold = mixture.threshold(modules, own);
    int column = 0;
    int rank = 0;
    int expert = 0;
    for (LinearModule module : modules) {
      ModuleExperts put = mixture.on(module);
      if (put != null) {
        members.add(new StackedExperts(put, mixture, threshold, column, rank, expert));
        rank += put.totalRank();
        expert += put.experts();
      }
      column += module.outFeatures();
    }
    this.outFeatures = column;
    this.ranks = rank;
    this.experts = expert;
    offsetA = layout.size();
    members.forEach(member -> member.addA(layout));
    offsetG = layout.size();
    members.forEach(member -> member.addRouter(layout));
    members.forEach(member -> member.addRest(layout));
    if (!members.isEmpty()) {
      declare(own);
    }
  }

  private void declare(ArrayDeclarations own) {
    hArray = own.kept("h", ranks);
    logitsArray = own.scratch("logits", experts);
    zArray = own.scratch("z", ranks);
    droppedArray = dropout > 0 ? own.scratch("ofInput", inFeatures) : null;
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
      a = ArrayViews.slice(parameters, offsetA, ranks, inFeatures);
      g = ArrayViews.slice(parameters, offsetG, experts, inFeatures);
      members.forEach(member -> member.attach(shared, parameters, layout));
      if (threshold != null) {
        threshold.attach(shared);
      }
    }
  }

  public void attachGradient(INDArray gradient) {
    if (!members.isEmpty()) {
      gradientA = ArrayViews.slice(gradient, offsetA, ranks, inFeatures);
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
    INDArray h = context.array(hArray);
    INDArray logits = context.array(logitsArray);
    INDArray z = context.array(zArray);
    if (!context.recomputes()) {
      kernels.product(dropped(x), false, a, true, h, false);
      kernels.product(x, false, g, true, logits, false);
      if (threshold != null) {
        threshold.forward(x);
      }
    }
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
    INDArray h = context.array(hArray);
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
      kernels.product(dh, true, dropped(x), false, gradientA, false);
      kernels.product(dLogits, true, x, false, gradientG, false);
    }
    if (dx != null) {
      kernels.product(dLogits, false, g, false, dx, true);
      if (dropoutOn()) {
        INDArray dDropped = context.array(droppedArray);
        kernels.product(dh, false, a, false, dDropped, false);
        kernels.dropoutBackward(dDropped, dropoutMask(), dx);
      } else {
        kernels.product(dh, false, a, false, dx, true);
      }
    }
  }

  private INDArray dropped(INDArray x) {
    if (!dropoutOn()) {
      return x;
    }
    INDArray dropped = context.array(droppedArray);
    context.kernels().dropout(x, dropoutMask(), dropped);
    return dropped;
  }

  private boolean dropoutOn() {
    return context.options().training() && dropout > 0;
  }

  private DropoutMask dropoutMask() {
    return new DropoutMask(
        (float) dropout, Seeds.mix(context.options().dropoutSeed(), stream), context.firstToken());
  }
}
