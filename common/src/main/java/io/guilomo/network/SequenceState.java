package io.guilomo.network;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.kernel.Kernels;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a classifier reads of each sequence: its pooled state after the model's last norm and, where
 * the checkpoint's own head pools alike, after that head's frozen layer.
 */
final class SequenceState {

  private final Pooling pooling;
  private final PretrainedHead head;
  private final Norm finalNorm;
  private final Norm headNorm;
  private final WorkingArray pooledArray;
  private final WorkingArray denseArray;
  private final WorkingArray activatedArray;
  private final WorkingArray dNormedArray;
  private final WorkingArray dArray;
  private PassContext context;
  private FrozenMatrix weight;
  private INDArray bias;
  private INDArray dense;

  SequenceState(NetworkDefinition definition, ArrayDeclarations arrays) {
    BackboneConfig config = definition.config();
    int hidden = config.hidden();
    head = definition.readsThroughPretrainedHead() ? config.pretrainedHead() : null;
    pooling = head == null ? definition.pooling() : head.pooling();
    Extent normed = pooling == Pooling.MEAN ? Extent.TOKENS : Extent.SEQUENCES;
    finalNorm = config.finalNorm(arrays, normed);
    pooledArray = arrays.scratch("ofInput", Extent.SEQUENCES, hidden);
    dNormedArray = finalNorm == null ? null : arrays.scratch("dNormed", normed, hidden);
    boolean transforms = head != null && head.activation() != null;
    denseArray = transforms ? arrays.scratch("head.dense", Extent.SEQUENCES, hidden) : null;
    activatedArray = transforms ? arrays.scratch("head.activated", Extent.SEQUENCES, hidden) : null;
    headNorm = transforms && head.normEpsilon() > 0 ? headNorm(arrays, hidden) : null;
    dArray = arrays.scratch("d", hidden);
  }

  private Norm headNorm(ArrayDeclarations arrays, int hidden) {
    return Norm.layer(
        PretrainedHead.NORM,
        head.normEpsilon(),
        arrays.scratch("head.transformed", Extent.SEQUENCES, hidden),
        arrays.scratch("head.mean", Extent.SEQUENCES, WorkingArray.VECTOR),
        arrays.scratch("head.deviation", Extent.SEQUENCES, WorkingArray.VECTOR));
  }

  void attach(PassContext shared) {
    context = shared;
    if (finalNorm != null) {
      finalNorm.attach(shared);
    }
    if (denseArray != null) {
      weight = shared.backbone().matrix(PretrainedHead.DENSE + ".weight");
      bias = shared.backbone().bias(PretrainedHead.DENSE);
    }
    if (headNorm != null) {
      headNorm.attach(shared);
    }
  }

  /**
   * @param states {@code [T, hidden]}
   * @return {@code [sequences, hidden]}, which {@link #backward} does not read again
   */
  INDArray forward(INDArray states) {
    INDArray pooled = pool(states);
    if (denseArray == null) {
      return pooled;
    }
    Kernels kernels = context.kernels();
    dense = context.array(denseArray);
    INDArray activated = context.array(activatedArray);
    kernels.matmul(pooled, weight, dense, false);
    if (bias != null) {
      kernels.addBias(dense, bias);
    }
    kernels.activate(head.activation(), dense, activated);
    return headNorm == null ? activated : headNorm.forward(activated);
  }

  private INDArray pool(INDArray states) {
    INDArray rows = context.array(pooledArray);
    if (pooling == Pooling.MEAN) {
      INDArray normed = finalNorm == null ? states : finalNorm.forward(states);
      context.kernels().meanPool(normed, context.batch().starts(), rows);
      return rows;
    }
    context.kernels().gatherRows(states, rows(), rows, false);
    return finalNorm == null ? rows : finalNorm.forward(rows);
  }

  /**
   * @param d gradient by the result of {@link #forward}, which is overwritten; it may be that
   *     result
   * @return gradient by the states, {@code [T, hidden]}
   */
  INDArray backward(INDArray d) {
    Kernels kernels = context.kernels();
    INDArray dPooled = d;
    if (denseArray != null) {
      if (headNorm != null) {
        headNorm.backward(d, d, false);
      }
      kernels.activateBackward(head.activation(), d, dense, d);
      dPooled = dense;
      kernels.matmulBackward(d, weight, dPooled, false);
    }
    return pooling == Pooling.MEAN ? meanBackward(dPooled) : rowsBackward(dPooled);
  }

  private INDArray meanBackward(INDArray dPooled) {
    INDArray d = context.array(dArray);
    INDArray dNormed = finalNorm == null ? d : context.array(dNormedArray);
    context.kernels().meanPoolBackward(dPooled, context.batch().starts(), dNormed);
    if (finalNorm != null) {
      finalNorm.backward(dNormed, d, false);
    }
    return d;
  }

  private INDArray rowsBackward(INDArray dPooled) {
    INDArray d = context.array(dArray);
    INDArray dRows = dPooled;
    if (finalNorm != null) {
      dRows = context.array(dNormedArray);
      finalNorm.backward(dPooled, dRows, false);
    }
    context.kernels().fill(d, 0);
    context.kernels().scatterAddRows(dRows, rows(), d);
    return d;
  }

  private int[] rows() {
    TokenBatch batch = context.batch();
    int[] starts = batch.starts();
    if (pooling == Pooling.CLS) {
      return Arrays.copyOf(starts, batch.sequences());
    }
    int[] last = new int[batch.sequences()];
    for (int i = 0; i < last.length; i++) {
      last[i] = last(batch.tokens(), starts[i], starts[i + 1] - 1);
    }
    return last;
  }

  /** As Hugging Face's heads: the first token if all are padding. */
  private int last(int[] tokens, int first, int end) {
    int padding = head == null ? -1 : head.padding();
    int last = end;
    while (last > first && tokens[last] == padding) {
      last--;
    }
    return last;
  }
}
