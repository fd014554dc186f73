package io.guilomo.network;

import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.model.UserException;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The frozen embeddings of tokens: a batch to {@code [T, hidden]}. */
public final class Embedding implements Part {

  private final BackboneConfig config;
  private final double scale;
  private final ArrayDeclarations arrays = new ArrayDeclarations("embedding");
  private final WorkingArray embedded;
  private PassContext context;
  private FrozenMatrix words;

  public Embedding(BackboneConfig config) {
    this(config, 1);
  }

  /**
   * @param scale factor on the embeddings
   */
  public Embedding(BackboneConfig config, double scale) {
    this.config = config;
    this.scale = scale;
    this.embedded = arrays.scratch("embedded", config.hidden());
  }

  @Override
  public ParameterLayout parameters() {
    return ParameterLayout.EMPTY;
  }

  @Override
  public List<WorkingArray> arrays() {
    return arrays.declared();
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    this.context = shared;
    this.words = shared.backbone().matrix(Backbone.WORDS);
  }

  @Override
  public void attachGradient(INDArray gradient) {}

  /**
   * @throws UserException if the model has too few positions for the batch, or a token is not in
   *     its vocabulary
   */
  @Override
  public INDArray forward(INDArray input) {
    TokenBatch batch = context.batch();
    check(batch);
    INDArray x = context.array(embedded);
    context.kernels().gatherRows(words, batch.tokens(), x, false);
    if (scale != 1) {
      context.kernels().scale(x, scale);
    }
    return x;
  }

  @Override
  public INDArray backward(INDArray gradient) {
    return null;
  }

  private void check(TokenBatch batch) {
    if (batch.longest() > config.maxPositions()) {
      throw new UserException(
          "Cannot read a sequence of %d tokens: the model has %d positions",
          batch.longest(), config.maxPositions());
    }
    for (int token : batch.tokens()) {
      if (token < 0 || token >= config.vocabulary()) {
        throw new UserException(
            "Cannot embed token %d: the vocabulary has %d", token, config.vocabulary());
      }
    }
  }
}
