package io.guilomo.family.bert;

import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.kernel.Kernels;
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

/** The sum of embedded tokens, positions and segments, normed. */
final class BertEmbedding implements Part {

  static final String POSITIONS = "embedding.positions";
  static final String SEGMENTS = "embedding.segments";

  /** The name of the norm's frozen tensors, before {@code .weight} and {@code .bias}. */
  static final String NORM = "embedding.norm";

  private final ArrayDeclarations arrays = new ArrayDeclarations("embedding");
  private final Embedding words;
  private final Norm norm;
  private PassContext context;
  private FrozenMatrix positions;
  private FrozenMatrix segments;

  BertEmbedding(BertConfig config) {
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
    context = shared;
    words.attach(shared, parameters);
    positions = shared.backbone().matrix(POSITIONS);
    segments = shared.backbone().matrix(SEGMENTS);
    norm.attach(shared);
  }

  @Override
  public void attachGradient(INDArray gradient) {}

  @Override
  public INDArray forward(INDArray input) {
    TokenBatch batch = context.batch();
    Kernels kernels = context.kernels();
    INDArray x = words.forward(input);
    kernels.gatherRows(positions, context.positions(), x, true);
    kernels.gatherRows(segments, batch.segments(), x, true);
    return norm.forward(x);
  }

  @Override
  public INDArray backward(INDArray gradient) {
    return null;
  }
}
