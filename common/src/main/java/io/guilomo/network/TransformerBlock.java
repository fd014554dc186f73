package io.guilomo.network;

import io.guilomo.kernel.AttentionShape;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What blocks of all families have: groups of linear modules, and arrays by name. */
abstract class TransformerBlock implements Part {

  private final PartSpec spec;
  private final String name;
  private final ParameterLayout layout = new ParameterLayout();
  private final List<ModuleGroup> groups = new ArrayList<>();
  private PassContext context;

  TransformerBlock(PartSpec spec) {
    this.spec = spec;
    this.name = PartNames.block(spec.layer());
  }

  /** A group of the block's modules that share an input; its parameters follow those before. */
  final ModuleGroup group(String kind, String... modules) {
    ModuleGroup group = new ModuleGroup(name + "." + kind, List.of(modules), spec, layout);
    groups.add(group);
    return group;
  }

  @Override
  public final ParameterLayout parameters() {
    return layout;
  }

  /** Blocks attach their groups, which need weights of their family, besides. */
  @Override
  public void attach(PassContext shared, INDArray parameters) {
    this.context = shared;
  }

  @Override
  public final void attachGradient(INDArray gradient) {
    groups.forEach(group -> group.attachGradient(gradient));
  }

  final PassContext context() {
    return context;
  }

  final int layer() {
    return spec.layer();
  }

  /** Whether nothing trainable lies below, so that the gradient of the input is not needed. */
  final boolean first() {
    return spec.layer() == 0;
  }

  /** Where the sequences of the batch begin, and where the last one ends. */
  final int[] starts() {
    return context.batch().starts();
  }

  /** What attention keeps for the backward pass. */
  final INDArray attentionState(AttentionShape shape) {
    return context.saved(name, "probabilities", context.kernels().attentionState(shape, starts()));
  }

  /** {@code [T, columns]}, kept for the backward pass. */
  final INDArray saved(String kind, long columns) {
    return context.saved(name, kind, context.batch().size(), columns);
  }

  /** {@code [T]}, kept for the backward pass. */
  final INDArray savedRow(String kind) {
    return context.saved(name, kind, context.batch().size());
  }

  /** {@code [T, columns]}, which the next block overwrites. */
  final INDArray scratch(String kind, long columns) {
    return context.buffers().array(kind, context.batch().size(), columns);
  }
}
