package io.guilomo.network;

import io.guilomo.data.TokenBatch;
import io.guilomo.family.Backbone;
import io.guilomo.family.BertBackbone;
import io.guilomo.family.LlamaBackbone;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.UserException;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The frozen embeddings: tokens of the batch to {@code [T, hidden]}. */
final class Embedding implements Part {

  private Backbone backbone;
  private PassContext context;

  @Override
  public ParameterLayout parameters() {
    return ParameterLayout.EMPTY;
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    this.context = shared;
    this.backbone = shared.backbone();
  }

  @Override
  public void attachGradient(INDArray gradient) {}

  @Override
  public INDArray forward(INDArray input) {
    TokenBatch batch = context.batch();
    check(batch);
    Kernels kernels = context.kernels();
    INDArray x = context.buffers().array("embedded", batch.size(), backbone.config().hidden());
    kernels.gatherRows(backbone.wordEmbeddings(), batch.tokens(), x, false);
    if (backbone instanceof LlamaBackbone) {
      return x;
    }
    BertBackbone bert = (BertBackbone) backbone;
    kernels.gatherRows(bert.positionEmbeddings(), batch.positions(), x, true);
    kernels.gatherRows(bert.segmentEmbeddings(), batch.segments(), x, true);
    INDArray normed =
        context.buffers().array("embeddedNormed", batch.size(), bert.config().hidden());
    kernels.layerNorm(
        x,
        bert.embeddingNorm().weight(),
        bert.embeddingNorm().bias(),
        bert.config().epsilon(),
        normed,
        context.buffers().array("embeddedMean", batch.size()),
        context.buffers().array("embeddedDeviation", batch.size()));
    return normed;
  }

  @Override
  public INDArray backward(INDArray gradient) {
    return null;
  }

  private void check(TokenBatch batch) {
    if (batch.longest() > backbone.config().maxPositions()) {
      throw new UserException(
          String.format(
              "Cannot read a sequence of %d tokens: the model has %d positions",
              batch.longest(), backbone.config().maxPositions()));
    }
    for (int token : batch.tokens()) {
      if (token < 0 || token >= backbone.config().vocabulary()) {
        throw new UserException(
            String.format(
                "Cannot embed token %d: the vocabulary has %d",
                token, backbone.config().vocabulary()));
      }
    }
  }
}
