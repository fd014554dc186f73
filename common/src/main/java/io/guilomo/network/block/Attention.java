package io.guilomo.network.block;

import io.guilomo.kernel.AttentionShape;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.Extent;
import io.guilomo.network.KeyValueCache;
import io.guilomo.network.PassContext;
import io.guilomo.network.RotaryTable;
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
 */
public final class Attention implements Residual.Branch {

  private final AttentionShape shape;
  private final RotaryTable.Shape rotary;
  private final int layer;
  private final ModuleGroup input;
  private final ModuleGroup output;
  private final int queryWidth;
  private final int keyWidth;
  private final WorkingArray qkvArray;
  private final WorkingArray attendedArray;
  private final WorkingArray stateArray;
  private final WorkingArray dAttendedArray;
  private final WorkingArray dqkvArray;
  private PassContext context;
  private RotaryTable table;
  private INDArray qkv;
  private INDArray attended;
  private INDArray state;

  /**
   * @param rotary null where queries and keys are not rotated
   * @param input q, k and v, in this order
   * @param output of what the heads attend to
   */
  public Attention(
      TransformerBlock block,
      AttentionShape shape,
      RotaryTable.Shape rotary,
      ModuleGroup input,
      ModuleGroup output) {
    this.shape = shape;
    this.rotary = rotary;
    this.layer = block.layer();
    this.input = input;
    this.output = output;
    this.queryWidth = shape.heads() * shape.headDim();
    this.keyWidth = shape.keyValueHeads() * shape.headDim();
    this.qkvArray = block.declarations().saved("qkvOut", input.outFeatures());
    this.attendedArray = block.declarations().saved("attended", queryWidth);
    this.stateArray = block.declarations().saved("probabilities", Extent.PAIRS, shape.heads());
    this.dAttendedArray = block.declarations().scratch("dAttended", queryWidth);
    this.dqkvArray = block.declarations().scratch("dqkv", input.outFeatures());
  }

  @Override
  public void attach(PassContext shared) {
    context = shared;
    table = rotary == null ? null : shared.rotary(rotary);
  }

  @Override
  public void forward(INDArray x, INDArray sum) {
    qkv = context.array(qkvArray);
    input.forward(x, qkv, false);
    rotate(qkv, false);
    attended = context.array(attendedArray);
    attend();
    output.forward(attended, sum, true);
  }

  private void attend() {
    Kernels kernels = context.kernels();
    KeyValueCache cache = context.cache();
    if (cache == null) {
      int[] starts = context.batch().starts();
      state = context.vector(stateArray, kernels.attentionState(shape, starts));
      kernels.attention(shape, starts, query(qkv), key(qkv), value(qkv), state, attended);
    } else {
      cache.attend(kernels, layer, shape, query(qkv), key(qkv), value(qkv), attended);
    }
  }

  @Override
  public void backward(INDArray d, INDArray x, INDArray dx, boolean accumulate) {
    INDArray dAttended = context.array(dAttendedArray);
    output.backward(d, attended, dAttended, false);
    INDArray dqkv = context.array(dqkvArray);
    context
        .kernels()
        .attentionBackward(
            shape,
            context.batch().starts(),
            dAttended,
            query(qkv),
            key(qkv),
            value(qkv),
            attended,
            state,
            query(dqkv),
            key(dqkv),
            value(dqkv));
    rotate(dqkv, true);
    input.backward(dqkv, x, dx, accumulate);
  }

  private void rotate(INDArray rows, boolean backward) {
    if (table == null) {
      return;
    }
    Kernels kernels = context.kernels();
    int[] positions = context.positions();
    kernels.rotate(query(rows), positions, shape.heads(), table.cosine(), table.sine(), backward);
    kernels.rotate(
        key(rows), positions, shape.keyValueHeads(), table.cosine(), table.sine(), backward);
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
