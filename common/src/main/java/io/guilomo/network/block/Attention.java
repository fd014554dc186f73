package io.guilomo.network.block;

import io.guilomo.kernel.AttentionShape;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.Extent;
import io.guilomo.network.KeyValueCache;
import io.guilomo.network.PassContext;
import io.guilomo.network.Rotary;
import io.guilomo.network.WorkingArray;
import io.guilomo.network.moe.ModuleGroup;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Scaled dot-product attention inside each sequence (arXiv 1706.03762), causal or not, of query
 * heads that may share key-value heads (arXiv 2305.13245), with rotated queries and keys or
 * without:
 *
 * <pre>
 *   x Wₒᵀ of softmax(scale · rotate(q) rotate(k)ᵀ) v,   [q k v] = x Wᵀ + b
 * </pre>
 *
 * <p>The queries and keys of each head may be normed before they are rotated.
 */
public final class Attention implements Residual.Branch {

  private final AttentionShape shape;
  private final Rotary.Shape rotary;
  private final int layer;
  private final ModuleGroup input;
  private final ModuleGroup output;
  private final HeadNorm queryNorm;
  private final HeadNorm keyNorm;
  private final int queryWidth;
  private final int keyWidth;
  private final WorkingArray qkvArray;
  private final WorkingArray attendedArray;
  private final WorkingArray stateArray;
  private final WorkingArray dAttendedArray;
  private final WorkingArray dqkvArray;
  private PassContext context;
  private Rotary positions;
  private INDArray qkv;
  private INDArray query;
  private INDArray key;
  private INDArray attended;
  private INDArray state;

  /**
   * Without norms of queries and keys.
   *
   * @param rotary null where queries and keys are not rotated
   * @param input q, k and v, in this order
   * @param output of what the heads attend to
   */
  public Attention(
      TransformerBlock block,
      AttentionShape shape,
      Rotary.Shape rotary,
      ModuleGroup input,
      ModuleGroup output) {
    this(block, shape, rotary, input, output, null, null);
  }

  /**
   * @param rotary null where queries and keys are not rotated
   * @param input q, k and v, in this order
   * @param output of what the heads attend to
   * @param queryNorm of each head's queries; null for none
   * @param keyNorm of each head's keys; null for none
   */
  public Attention(
      TransformerBlock block,
      AttentionShape shape,
      Rotary.Shape rotary,
      ModuleGroup input,
      ModuleGroup output,
      HeadNorm queryNorm,
      HeadNorm keyNorm) {
    this.shape = shape;
    this.rotary = rotary;
    this.layer = block.layer();
    this.input = input;
    this.output = output;
    this.queryNorm = queryNorm;
    this.keyNorm = keyNorm;
    this.queryWidth = shape.heads() * shape.headDim();
    this.keyWidth = shape.keyValueHeads() * shape.headDim();
    this.qkvArray = block.declarations().saved("qkvOut", input.outFeatures());
    this.attendedArray = block.declarations().saved("attended", queryWidth);
    this.stateArray = block.declarations().saved("probabilities", Extent.PAIRS, shape.heads());
    this.dAttendedArray = block.declarations().scratch("dAttended", queryWidth);
    this.dqkvArray = block.declarations().scratch("dInner", input.outFeatures());
  }

  @Override
  public void attach(PassContext shared) {
    context = shared;
    positions = rotary == null ? null : shared.rotary(rotary);
    if (queryNorm != null) {
      queryNorm.attach(shared);
    }
    if (keyNorm != null) {
      keyNorm.attach(shared);
    }
  }

  @Override
  public void forward(INDArray x, INDArray y, boolean accumulate) {
    qkv = context.array(qkvArray);
    input.forward(x, qkv, false);
    query = queryNorm == null ? query(qkv) : queryNorm.forward(query(qkv));
    key = keyNorm == null ? key(qkv) : keyNorm.forward(key(qkv));
    rotate(query, key, false);
    attended = context.array(attendedArray);
    attend();
    if (y != null) {
      output.forward(attended, y, accumulate);
    }
  }

  private void attend() {
    Kernels kernels = context.kernels();
    KeyValueCache cache = context.cache();
    if (cache == null) {
      int[] starts = context.batch().starts();
      state = context.vector(stateArray, kernels.attentionState(shape, starts));
      kernels.attention(shape, starts, query, key, value(qkv), state, attended);
    } else {
      cache.attend(kernels, layer, shape, query, key, value(qkv), attended);
    }
  }

  @Override
  public void backward(INDArray d, INDArray x, INDArray dx, boolean accumulate) {
    INDArray dAttended = context.array(dAttendedArray);
    output.backward(d, attended, dAttended, false);
    INDArray dqkv = context.array(dqkvArray);
    INDArray dQuery = queryNorm == null ? query(dqkv) : queryNorm.gradient();
    INDArray dKey = keyNorm == null ? key(dqkv) : keyNorm.gradient();
    context
        .kernels()
        .attentionBackward(
            shape,
            context.batch().starts(),
            dAttended,
            query,
            key,
            value(qkv),
            attended,
            state,
            dQuery,
            dKey,
            value(dqkv));
    rotate(dQuery, dKey, true);
    if (queryNorm != null) {
      queryNorm.backward(query(qkv), query(dqkv));
    }
    if (keyNorm != null) {
      keyNorm.backward(key(qkv), key(dqkv));
    }
    input.backward(dqkv, x, dx, accumulate);
  }

  private void rotate(INDArray queries, INDArray keys, boolean backward) {
    if (positions == null) {
      return;
    }
    Kernels kernels = context.kernels();
    INDArray cosine = positions.cosine();
    INDArray sine = positions.sine();
    int[] at = positions.rows();
    kernels.rotate(queries, at, shape.heads(), cosine, sine, backward);
    kernels.rotate(keys, at, shape.keyValueHeads(), cosine, sine, backward);
  }

  private INDArray query(INDArray rows) {
    return context.columns(rows, 0, queryWidth);
  }

  private INDArray key(INDArray rows) {
    return context.columns(rows, queryWidth, keyWidth);
  }

  private INDArray value(INDArray rows) {
    return context.columns(rows, queryWidth + keyWidth, keyWidth);
  }
}
