package io.guilomo.network;

import io.guilomo.backbone.LinearModule;
import io.guilomo.kernel.ArrayViews;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The GuidedSelection Vectors of all modules: turns them into masks before a pass and the masks'
 * gradients into theirs after it. It stands first in the graph, so that the outer variables are the
 * begin of the flat vector.
 */
final class Selection implements Part {

  private final ParameterLayout layout = new ParameterLayout();
  private final List<ModuleExperts> modules;
  private final Map<LinearModule, Masks> masks = new HashMap<>();
  private INDArray gsvs;
  private INDArray gradient;
  private INDArray maskValues;
  private INDArray maskGradients;
  private float[] values;
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
    values = gsvs.toFloatVector();
    float[] mask = new float[values.length];
    for (ModuleExperts module : modules) {
      int offset = (int) layout.slice(expertsName(module.module())).offset();
      StraightThrough.expertMask(values, offset, module.experts(), mask);
      offset += module.experts();
      for (int rank : module.ranks()) {
        StraightThrough.rankMask(values, offset, rank, mask);
        offset += rank;
      }
    }
    write(mask, maskValues);
    if (context.options().gradient() != PassOptions.Gradient.NONE) {
      maskGradients.assign(0);
    }
    return input;
  }

  @Override
  public INDArray backward(INDArray unused) {
    float[] maskGradient = maskGradients.toFloatVector();
    float[] result = new float[values.length];
    for (ModuleExperts module : modules) {
      int offset = (int) layout.slice(expertsName(module.module())).offset();
      StraightThrough.expertGradient(values, offset, module.experts(), maskGradient, result);
      offset += module.experts();
      for (int rank : module.ranks()) {
        StraightThrough.rankGradient(values, offset, rank, maskGradient, result);
        offset += rank;
      }
    }
    write(result, gradient);
    return null;
  }

  private static void write(float[] from, INDArray to) {
    try (INDArray array = Nd4j.createFromArray(from)) {
      to.assign(array);
    }
  }

  /**
   * Every mask's argmax, one number a vector in the order of the layout: what a move of the GSVs
   * can change.
   */
  static int[] choices(List<ModuleExperts> modules, float[] gsvs) {
    List<Integer> choices = new ArrayList<>();
    int offset = 0;
    for (ModuleExperts module : modules) {
      choices.add(StraightThrough.lastExpert(gsvs, offset, module.experts()));
      offset += module.experts();
      for (int rank : module.ranks()) {
        choices.add(StraightThrough.lastRank(gsvs, offset, rank));
        offset += rank;
      }
    }
    return choices.stream().mapToInt(Integer::intValue).toArray();
  }

  @Override
  public String toString() {
    return "selection of " + modules.size() + " modules: " + Arrays.toString(values);
  }
}
