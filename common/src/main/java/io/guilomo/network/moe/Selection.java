package io.guilomo.network.moe;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.StraightThrough;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.Initialisation;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.Part;
import io.guilomo.network.PartNames;
import io.guilomo.network.PassContext;
import io.guilomo.network.PassOptions;
import io.guilomo.network.WorkingArray;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The GuidedSelection Vectors (GSVs) of all modules: an {@link Estimator} turns them into masks
 * before a pass and the masks' gradients into theirs after it. It stands first, so that the flat
 * vector begins with the outer variables.
 */
public final class Selection implements Part {

  /** How GSVs become masks, and the masks' gradients theirs. */
  interface Estimator {

    /** How a GSV starts. */
    Initialisation initial();

    /** Writes the masks, laid out as the GSVs. */
    void masks(Kernels kernels, Vectors vectors, INDArray gsvs, INDArray masks);

    /** Writes the gradient of the GSVs. */
    void backward(Kernels kernels, Vectors vectors, INDArray gsvs, INDArray dMasks, INDArray dGsvs);

    /**
     * The last entry in use that each GSV stands for. Hard masks depend on nothing else: an update
     * that changes none of the choices leaves them as they are.
     */
    int[] choices(Vectors vectors, float[] gsvs);
  }

  /**
   * The layout of the GSVs: for each module the vector of its experts, then one of ranks for each
   * expert.
   *
   * @param starts where each vector begins, and where the last one ends
   * @param kinds {@link StraightThrough#EXPERTS} or {@link StraightThrough#RANKS}
   */
  record Vectors(int[] starts, int[] kinds) {}

  /**
   * The masks of one module and, after a backward pass, their gradients.
   *
   * @param experts {@code m [E]}
   * @param ranks {@code n [R]}, expert by expert
   */
  public record Masks(
      INDArray experts, INDArray ranks, INDArray expertsGradient, INDArray ranksGradient) {}

  private final ParameterLayout layout = new ParameterLayout();
  private final List<ModuleExperts> modules;
  private final Estimator estimator;
  private final Vectors vectors;
  private final ArrayDeclarations arrays = new ArrayDeclarations("selection");
  private final WorkingArray maskArray;
  private final WorkingArray maskGradientArray;
  private final Map<LinearModule, Masks> masks = new HashMap<>();
  private INDArray gsvs;
  private INDArray gradient;
  private INDArray maskValues;
  private INDArray maskGradients;
  private PassContext context;

  Selection(List<ModuleExperts> modules, Estimator estimator) {
    this.modules = modules;
    this.estimator = estimator;
    List<Long> starts = new ArrayList<>();
    List<Integer> kinds = new ArrayList<>();
    for (ModuleExperts module : modules) {
      LinearModule own = module.module();
      starts.add(layout.add(expertsName(own), estimator.initial(), module.experts()));
      kinds.add(StraightThrough.EXPERTS);
      for (int e = 0; e < module.experts(); e++) {
        starts.add(layout.add(rankName(own, e), estimator.initial(), module.ranks().get(e)));
        kinds.add(StraightThrough.RANKS);
      }
    }
    starts.add(layout.size());
    this.vectors =
        new Vectors(
            starts.stream().mapToInt(Math::toIntExact).toArray(),
            kinds.stream().mapToInt(Integer::intValue).toArray());
    this.maskArray = arrays.vector("selection.masks", layout.size());
    this.maskGradientArray = arrays.vector("selection.maskGradients", layout.size());
  }

  public static String expertsName(LinearModule module) {
    return PartNames.prefix(module) + "experts";
  }

  public static String rankName(LinearModule module, int expert) {
    return PartNames.prefix(module) + "ranks." + expert;
  }

  @Override
  public ParameterLayout parameters() {
    return layout;
  }

  @Override
  public List<WorkingArray> arrays() {
    return arrays.declared();
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    this.context = shared;
    this.gsvs = parameters;
    this.maskValues = shared.array(maskArray);
    this.maskGradients = shared.array(maskGradientArray);
    for (ModuleExperts module : modules) {
      long experts = layout.slice(expertsName(module.module())).offset();
      long ranks = experts + module.experts();
      masks.put(
          module.module(),
          new Masks(
              ArrayViews.slice(maskValues, experts, module.experts()),
              ArrayViews.slice(maskValues, ranks, module.totalRank()),
              ArrayViews.slice(maskGradients, experts, module.experts()),
              ArrayViews.slice(maskGradients, ranks, module.totalRank())));
    }
  }

  @Override
  public void attachGradient(INDArray view) {
    this.gradient = view;
  }

  /** Masks of a module, once the selection is attached. */
  public Masks masks(LinearModule module) {
    return masks.get(module);
  }

  @Override
  public INDArray forward(INDArray input) {
    Kernels kernels = context.kernels();
    estimator.masks(kernels, vectors, gsvs, maskValues);
    if (context.options().gradient() != PassOptions.Gradient.NONE) {
      kernels.fill(maskGradients, 0);
    }
    return input;
  }

  @Override
  public INDArray backward(INDArray unused) {
    estimator.backward(context.kernels(), vectors, gsvs, maskGradients, gradient);
    return null;
  }

  /** The last entry in use that each GSV stands for, in the order of the layout. */
  public int[] choices(float[] values) {
    return estimator.choices(vectors, values);
  }
}
