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

/** The sum of embedded tokens, positions and, where there are any, segments, normed. */
final class BertEmbedding implements Part {

  static final String POSITIONS = "embedding.positions";
  static final String SEGMENTS = "embedding.segments";

  /** The name of the norm's frozen tensors, before {@code .weight} and {@code .bias}. */
  static final String NORM = "embedding.norm";

  private final BertConfig config;
  private final ArrayDeclarations arrays = new ArrayDeclarations("embedding");
  private final Embedding words;
  private final Norm norm;
  private PassContext context;
  private FrozenMatrix positions;
  private FrozenMatrix segments;

  BertEmbedding(BertConfig config) {
    this.config = config;
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
    segments = config.segments() == 0 ? null : shared.backbone().matrix(SEGMENTS);
    norm.attach(shared);
  }

  @Override
  public void attachGradient(INDArray gradient) {}

  @Override
  public INDArray forward(INDArray input) {
    TokenBatch batch = context.batch();
    Kernels kernels = context.kernels();
    INDArray x = words.forward(input);
    kernels.gatherRows(positions, positions(batch), x, true);
    if (segments != null) {
      kernels.gatherRows(segments, segments(batch), x, true);
    }
    return norm.forward(x);
  }

  /** Rows of the table of positions. */
  private int[] positions(TokenBatch batch) {
    int padding = config.padding();
    if (padding < 0) {
      return context.positions();
    }
    int[] rows = new int[batch.size()];
    for (int i = 0; i < batch.sequences(); i++) {
      int next = padding + 1;
      for (int t = batch.starts()[i]; t < batch.starts()[i + 1]; t++) {
        // RoBERTa does not count padding tokens, even where they are not masked.
        rows[t] = batch.tokens()[t] == padding ? padding : next++;
      }
    }
    return rows;
  }

  /** Models of one segment read every text as that one, whatever their tokenizer says. */
  private int[] segments(TokenBatch batch) {
    return config.segments() == 1 ? new int[batch.size()] : batch.segments();
  }

  @Override
  public INDArray backward(INDArray gradient) {
    return null;
  }
}
