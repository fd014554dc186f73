package io.guilomo.network;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.StraightThrough;
import io.guilomo.model.LinearModule;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The GuidedSelection Vectors of all modules: turns them into masks before a pass and the masks'
 * gradients into theirs after it. It stands first, so that the flat vector begins with the outer
 * variables.
 */
final class Selection implements Part {

  private final ParameterLayout layout = new ParameterLayout();
  private final List<ModuleExperts> modules;
  private final int[] starts;
  private final int[] kinds;
  private final Map<LinearModule, Masks> masks = new HashMap<>();
  private INDArray gsvs;
  private INDArray gradient;
  private INDArray maskValues;
  private INDArray maskGradients;
  private PassContext context;

  /**
   * The masks of one module and, after a backward pass, their gradients.
   *
   * @param experts {@code m [E]}
   * @param ranks {@code n [R]}, expert by expert
   */
  record Masks(
      INDArray experts, INDArray ranks, INDArray expertsGradient, INDArray ranksGradient) {}

  Selection(PartSpec spec) {
    this.modules = spec.modules();
    for (ModuleExperts module : modules) {
      layout.add(expertsName(module.module()), Initialisation.SOFTMAX_NORMAL, module.experts());
      for (int e = 0; e < module.experts(); e++) {
        layout.add(
            rankName(module.module(), e), Initialisation.SOFTMAX_NORMAL, module.ranks().get(e));
      }
    }
    this.kinds = kinds(modules);
    this.starts = starts(modules);
  }

  static String expertsName(LinearModule module) {
    return PartNames.prefix(module) + "experts";
  }

  static String rankName(LinearModule module, int expert) {
    return PartNames.prefix(module) + "ranks." + expert;
  }

  @Override
  public ParameterLayout parameters() {
    return layout;
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    this.context = shared;
    this.gsvs = parameters;
    this.maskValues = shared.buffers().array("selection.masks", layout.size());
    this.maskGradients = shared.buffers().array("selection.maskGradients", layout.size());
    for (ModuleExperts module : modules) {
      long experts = layout.slice(expertsName(module.module())).offset();
      long ranks = experts + module.experts();
      masks.put(
          module.module(),
          new Masks(
              ArrayViews.stretch(maskValues, experts, module.experts()),
              ArrayViews.stretch(maskValues, ranks, module.totalRank()),
              ArrayViews.stretch(maskGradients, experts, module.experts()),
              ArrayViews.stretch(maskGradients, ranks, module.totalRank())));
    }
    shared.selection(this);
  }

  @Override
  public void attachGradient(INDArray view) {
    this.gradient = view;
  }

  Masks masks(LinearModule module) {
    return masks.get(module);
  }

  @Override
  public INDArray forward(INDArray input) {
    Kernels kernels = context.kernels();
    kernels.masks(starts, kinds, gsvs, maskValues);
    if (context.options().gradient() != PassOptions.Gradient.NONE) {
      kernels.fill(maskGradients, 0);
    }
    return input;
  }

  @Override
  public INDArray backward(INDArray unused) {
    context.kernels().masksBackward(starts, kinds, gsvs, maskGradients, gradient);
    return null;
  }

  /** What each vector of the layout chooses. */
  private static int[] kinds(List<ModuleExperts> modules) {
    return modules.stream()
        .flatMapToInt(
            module ->
                IntStream.concat(
                    IntStream.of(StraightThrough.EXPERTS),
                    IntStream.generate(() -> StraightThrough.RANKS).limit(module.experts())))
        .toArray();
  }

  /** Where each vector of the layout begins, and where the last one ends. */
  private static int[] starts(List<ModuleExperts> modules) {
    int[] lengths =
        modules.stream()
            .flatMapToInt(
                module ->
                    IntStream.concat(
                        IntStream.of(module.experts()),
                        module.ranks().stream().mapToInt(Integer::intValue)))
            .toArray();
    int[] starts = new int[lengths.length + 1];
    for (int i = 0; i < lengths.length; i++) {
      starts[i + 1] = starts[i] + lengths[i];
    }
    return starts;
  }

  /**
   * Every mask's argmax, one number a vector in the order of the layout: what a move of the GSVs
   * can change.
   */
  static int[] choices(List<ModuleExperts> modules, float[] gsvs) {
    int[] starts = starts(modules);
    int[] kinds = kinds(modules);
    int[] choices = new int[kinds.length];
    for (int i = 0; i < kinds.length; i++) {
      int length = starts[i + 1] - starts[i];
      choices[i] =
          kinds[i] == StraightThrough.EXPERTS
              ? StraightThrough.lastExpert(gsvs, starts[i], length)
              : StraightThrough.lastRank(gsvs, starts[i], length);
    }
    return choices;
  }
}
