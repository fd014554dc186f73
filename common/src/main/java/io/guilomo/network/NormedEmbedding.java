package io.guilomo.network;

import io.guilomo.kernel.FrozenMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The sum of embedded tokens and rows of further frozen tables, such as one of positions, layer
 * normed: what enters an encoder.
 */
public final class NormedEmbedding implements Part {

  /** The name of the norm's frozen tensors, before {@code .weight} and {@code .bias}. */
  public static final String NORM = "embedding.norm";

  /**
   * A frozen table {@code [rows, hidden]}.
   *
   * @param name of the frozen tensor
   * @param rows the row of each token of a pass, {@code [T]}
   */
  public record Table(String name, Function<PassContext, int[]> rows) {}

  private final ArrayDeclarations arrays = new ArrayDeclarations("embedding");
  private final Embedding words;
  private final List<Table> tables;
  private final List<FrozenMatrix> matrices = new ArrayList<>();
  private final Norm norm;
  private PassContext context;

  /**
   * @param epsilon of the norm
   */
  public NormedEmbedding(BackboneConfig config, float epsilon, List<Table> tables) {
    this.words = new Embedding(config);
    this.tables = List.copyOf(tables);
    this.norm =
        Norm.layer(
            NORM,
            epsilon,
            arrays.scratch("embedding.normed", config.hidden()),
            arrays.scratch("embedding.mean", WorkingArray.VECTOR),
            arrays.scratch("embedding.deviation", WorkingArray.VECTOR));
  }

  @Override
  public ParameterLayout parameters() {
    return ParameterLayout.EMPTY;
  }

  @Override
  public List<WorkingArray> arrays() {
    List<WorkingArray> all = new ArrayList<>(words.arrays());
    all.addAll(arrays.declared());
    return all;
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    context = shared;
    words.attach(shared, parameters);
    tables.forEach(table -> matrices.add(shared.backbone().matrix(table.name())));
    norm.attach(shared);
  }

  @Override
  public void attachGradient(INDArray gradient) {}

  @Override
  public INDArray forward(INDArray input) {
    INDArray x = words.forward(input);
    for (int i = 0; i < matrices.size(); i++) {
      int[] rows = tables.get(i).rows().apply(context);
      context.kernels().gatherRows(matrices.get(i), rows, x, true);
    }
    return norm.forward(x);
  }

  @Override
  public INDArray backward(INDArray gradient) {
    return null;
  }
}
