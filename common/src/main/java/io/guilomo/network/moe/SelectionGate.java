package io.guilomo.network.moe;

import io.guilomo.model.ModuleExperts;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A gate with the masks {@code m} and {@code n} that a {@link Selection} makes for its module. */
abstract class SelectionGate implements Gate {

  /** For {@link #coefficients}. */
  final WorkingArray product;

  private final ModuleExperts spec;
  private final Selection selection;
  private final WorkingArray dCoefficients;
  PassContext context;
  Selection.Masks masks;

  /** {@code s}. */
  INDArray scalings;

  SelectionGate(ModuleExperts spec, Selection selection, ArrayDeclarations arrays) {
    this.spec = spec;
    this.selection = selection;
    this.product = arrays.vector("coefficients", spec.totalRank());
    this.dCoefficients = arrays.vector("dCoefficients", spec.totalRank());
  }

  @Override
  public void attach(
      PassContext shared, INDArray parameters, ParameterLayout layout, INDArray values) {
    this.context = shared;
    this.scalings = values;
    this.masks = selection.masks(spec.module());
  }

  @Override
  public INDArray logitMask() {
    return masks.experts();
  }

  @Override
  public INDArray coefficientsGradient() {
    return context.array(dCoefficients);
  }
}
