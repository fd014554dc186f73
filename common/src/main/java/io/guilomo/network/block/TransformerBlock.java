package io.guilomo.network.block;

import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.Norm;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.Part;
import io.guilomo.network.PartNames;
import io.guilomo.network.PartSpec;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import io.guilomo.network.moe.ModuleGroup;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A block of a transformer with experts on its linear modules. A family composes it of its parts:
 * groups of linear modules, in the order of their parameters, and branches over them.
 */
public final class TransformerBlock implements Part {

  private final PartSpec spec;
  private final String name;
  private final ParameterLayout layout = new ParameterLayout();
  private final ArrayDeclarations declarations;
  private final Map<String, ModuleGroup> groups = new LinkedHashMap<>();
  private final List<Residual> residuals = new ArrayList<>();
  private PassContext context;

  public TransformerBlock(PartSpec spec) {
    this.spec = spec;
    this.name = PartNames.block(spec.layer());
    this.declarations = new ArrayDeclarations(name, "block");
  }

  /**
   * A group of linear modules that share an input; its parameters follow those of the groups
   * before. Its frozen tensors are called {@code block-LAYER.KIND.weight} and, where it has a bias,
   * {@code .bias}.
   */
  public ModuleGroup group(String kind, String... modules) {
    String groupName = tensor(kind);
    ModuleGroup group = new ModuleGroup(groupName, spec.modules(modules), spec.mixture(), layout);
    groups.put(groupName, group);
    return group;
  }

  /** A root-mean-square norm; its frozen tensor is called {@code block-LAYER.KIND.weight}. */
  public Norm rmsNorm(String kind, float epsilon) {
    return Norm.rms(
        tensor(kind),
        epsilon,
        declarations.saved(kind, hidden()),
        declarations.keptRow(kind + ".rms"));
  }

  /**
   * As {@link #rmsNorm}, of what a branch adds to the residual stream: its result is overwritten by
   * the next such norm.
   */
  public Norm outputNorm(String kind, float epsilon) {
    return Norm.rms(
        tensor(kind),
        epsilon,
        declarations.scratch("normedOutput", hidden()),
        declarations.keptRow(kind + ".rms"));
  }

  /**
   * Norms of each head's queries or keys; the frozen tensor is called {@code
   * block-LAYER.KIND.weight}.
   */
  public HeadNorm headNorm(String kind, int headDim, int heads, float epsilon) {
    return new HeadNorm(declarations, kind, tensor(kind), heads, headDim, epsilon);
  }

  /**
   * A layer norm; its frozen tensors are called {@code block-LAYER.KIND.weight} and {@code .bias}.
   */
  public Norm layerNorm(String kind, float epsilon) {
    return layerNorm(kind, epsilon, declarations.saved(kind, hidden()));
  }

  /** As {@link #layerNorm}, whose result is the block's. */
  public Norm lastLayerNorm(String kind, float epsilon) {
    return layerNorm(kind, epsilon, declarations.kept(kind, hidden()));
  }

  private Norm layerNorm(String kind, float epsilon, WorkingArray normed) {
    return Norm.layer(
        tensor(kind),
        epsilon,
        normed,
        declarations.keptRow(kind + ".mean"),
        declarations.keptRow(kind + ".deviation"));
  }

  /** Appends a branch. */
  public TransformerBlock add(Residual residual) {
    residuals.add(residual);
    return this;
  }

  /** The name of a frozen tensor of a layer, before {@code .weight} or {@code .bias}. */
  public static String tensor(int layer, String kind) {
    return PartNames.block(layer) + "." + kind;
  }

  private String tensor(String kind) {
    return tensor(spec.layer(), kind);
  }

  int layer() {
    return spec.layer();
  }

  /** Width of the residual stream. */
  int hidden() {
    return spec.config().hidden();
  }

  /** Where the parts of the block declare their arrays. */
  public ArrayDeclarations declarations() {
    return declarations;
  }

  @Override
  public List<WorkingArray> arrays() {
    List<WorkingArray> all = new ArrayList<>(declarations.declared());
    groups.values().forEach(group -> all.addAll(group.arrays()));
    return all;
  }

  @Override
  public ParameterLayout parameters() {
    return layout;
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    context = shared;
    groups.forEach(
        (groupName, group) ->
            group.attach(
                shared,
                parameters,
                shared.backbone().matrix(groupName + ".weight"),
                shared.backbone().bias(groupName)));
    residuals.forEach(residual -> residual.attach(shared));
  }

  @Override
  public void attachGradient(INDArray gradient) {
    groups.values().forEach(group -> group.attachGradient(gradient));
  }

  @Override
  public INDArray forward(INDArray input) {
    INDArray x = input;
    for (Residual residual : residuals) {
      x = residual.forward(x);
    }
    return x;
  }

  @Override
  public void recompute(INDArray input) {
    context.recompute(true);
    INDArray x = input;
    int last = residuals.size() - 1;
    for (Residual residual : residuals.subList(0, last)) {
      x = residual.forward(x);
    }
    residuals.get(last).recompute(x);
    context.recompute(false);
  }

  @Override
  public INDArray backward(INDArray d) {
    // Nothing trainable is below the first block.
    boolean first = spec.layer() == 0 && !context.wantsInput();
    for (int i = residuals.size() - 1; i >= 0; i--) {
      residuals.get(i).backward(d, i > 0 || !first);
    }
    return first ? null : d;
  }
}
