package io.guilomo.network;

import io.guilomo.data.Seeds;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.DropoutMask;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.LinearModule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Frozen linear modules that read the same input (q, k, v; gate, up; or one alone) and the experts
 * on them, in the stacked form: one product for the frozen weights of all, one for all {@code A},
 * one for all routers.
 *
 * <pre>
 *   p̂ = top-k of softmax(x Gᵀ + m)      Z = (drop(x) Aᵀ) ⊙ (p̂ · s · λ · n)      y = x Wᵀ + b + Z Bᵀ
 * </pre>
 *
 * (arXiv 2506.14646, eq. 1–4.) Modules that share an input share its dropout mask.
 */
final class ModuleGroup {

  private final String name;
  private final double dropout;
  private final long stream;
  private final ParameterLayout layout;
  private final List<StackedExperts> members = new ArrayList<>();
  private final int inFeatures;
  private int outFeatures;
  private int ranks;
  private int experts;
  private long offsetA;
  private long offsetG;
  private PassContext context;
  private INDArray weight;
  private INDArray bias;
  private INDArray a;
  private INDArray g;
  private INDArray gradientA;
  private INDArray gradientG;

  /**
   * @param name of the working arrays; unique in the network
   * @param modules names of the linear modules, in the order in which the backbone stacks them
   * @param spec of the block, with what is put on its modules; those without an entry stay frozen
   * @param layout where the parameters are appended
   */
  ModuleGroup(String name, List<String> modules, PartSpec spec, ParameterLayout layout) {
    this.name = name;
    this.layout = layout;
    this.dropout = spec.dropout();
    this.stream = name.hashCode();
    Map<String, LinearModule> all =
        spec.config().linearModules().stream()
            .filter(module -> module.layer() == spec.layer())
            .collect(Collectors.toMap(LinearModule::name, Function.identity()));
    Map<LinearModule, ModuleExperts> experts =
        spec.modules().stream()
            .collect(Collectors.toMap(ModuleExperts::module, Function.identity()));
    this.inFeatures = all.get(modules.get(0)).inFeatures();
    for (String moduleName : modules) {
      LinearModule module = all.get(moduleName);
      ModuleExperts put = experts.get(module);
      if (put != null) {
        members.add(new StackedExperts(put, spec.stage(), outFeatures, ranks, this.experts));
        this.ranks += put.totalRank();
        this.experts += put.experts();
      }
      outFeatures += module.outFeatures();
    }
    offsetA = layout.size();
    members.forEach(member -> member.addA(layout));
    offsetG = layout.size();
    members.forEach(member -> member.addRouter(layout));
    members.forEach(member -> member.addRest(layout));
  }

  /**
   * @param frozen {@code [Σ out, in]}
   * @param frozenBias {@code [Σ out]} or null
   */
  void attach(PassContext shared, INDArray parameters, INDArray frozen, INDArray frozenBias) {
    this.context = shared;
    this.weight = frozen;
    this.bias = frozenBias;
    if (!members.isEmpty()) {
      a = ArrayViews.stretch(parameters, offsetA, ranks, inFeatures);
      g = ArrayViews.stretch(parameters, offsetG, experts, inFeatures);
      members.forEach(member -> member.attach(shared, parameters, layout));
    }
  }

  void attachGradient(INDArray gradient) {
    if (!members.isEmpty()) {
      gradientA = ArrayViews.stretch(gradient, offsetA, ranks, inFeatures);
      gradientG = ArrayViews.stretch(gradient, offsetG, experts, inFeatures);
      members.forEach(member -> member.attachGradient(gradient, layout));
    }
  }

  int outFeatures() {
    return outFeatures;
  }

  /**
   * @param x {@code [T, in]}
   * @param y {@code [T, Σ out]}, written or, if {@code accumulate}, added to
   */
  void forward(INDArray x, INDArray y, boolean accumulate) {
    Kernels kernels = context.kernels();
    kernels.product(x, false, weight, true, y, accumulate);
    if (bias != null) {
      kernels.addBias(y, bias);
    }
    if (members.isEmpty()) {
      return;
    }
    long rows = x.rows();
    INDArray h = context.saved(name, "h", rows, ranks);
    INDArray logits = context.buffers().array("logits", rows, experts);
    INDArray z = context.buffers().array("z", rows, ranks);
    kernels.product(dropped(x), false, a, true, h, false);
    kernels.product(x, false, g, true, logits, false);
    for (StackedExperts member : members) {
      member.forward(
          context.buffers().columns(h, member.firstRank(), member.ranks()),
          context.buffers().columns(logits, member.firstExpert(), member.experts()),
          context.buffers().columns(z, member.firstRank(), member.ranks()),
          context.buffers().columns(y, member.firstColumn(), member.outFeatures()));
    }
  }

  /**
   * @param dy {@code [T, Σ out]}
   * @param x the input of the forward pass
   * @param dx {@code [T, in]}, written or, if {@code accumulate}, added to; null if not wanted
   */
  void backward(INDArray dy, INDArray x, INDArray dx, boolean accumulate) {
    Kernels kernels = context.kernels();
    if (dx != null) {
      kernels.product(dy, false, weight, false, dx, accumulate);
    }
    if (members.isEmpty()) {
      return;
    }
    long rows = x.rows();
    INDArray h = context.saved(name, "h", rows, ranks);
    INDArray dLogits = context.buffers().array("logits", rows, experts);
    INDArray dh = context.buffers().array("z", rows, ranks);
    for (StackedExperts member : members) {
      member.backward(
          context.buffers().columns(dy, member.firstColumn(), member.outFeatures()),
          context.buffers().columns(h, member.firstRank(), member.ranks()),
          context.buffers().columns(dh, member.firstRank(), member.ranks()),
          context.buffers().columns(dLogits, member.firstExpert(), member.experts()));
    }
    if (context.wantsWeights()) {
      kernels.product(dh, true, dropped(x), false, gradientA, false);
      kernels.product(dLogits, true, x, false, gradientG, false);
    }
    if (dx != null) {
      kernels.product(dLogits, false, g, false, dx, true);
      if (dropoutOn()) {
        INDArray dDropped = context.buffers().array("dropped", rows, inFeatures);
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
    INDArray dropped = context.buffers().array("dropped", x.rows(), inFeatures);
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
