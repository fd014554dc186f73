package io.guilomo.family.modernbert;

import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.Embedding;
import io.guilomo.network.Norm;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.Part;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Embedded tokens, normed. */
final class ModernBertEmbedding implements Part {

  /** The name of the norm's frozen tensors, before {@code .weight} and {@code .bias}. */
  static final String NORM = "embedding.norm";

  private final ArrayDeclarations arrays = new ArrayDeclarations("embedding");
  private final Embedding words;
  private final Norm norm;

  ModernBertEmbedding(ModernBertConfig config) {
    this.words = new Embedding(config);
    this.norm =
        Norm.layer(
            NORM,
            config.epsilon(),
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
    words.attach(shared, parameters);
    norm.attach(shared);
  }

  @Override
  public void attachGradient(INDArray gradient) {}

  @Override
  public INDArray forward(INDArray input) {
    return norm.forward(words.forward(input));
  }

  @Override
  public INDArray backward(INDArray gradient) {
    return null;
  }
}
