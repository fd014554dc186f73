package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArguments.attentionInputs;
import static io.guilomo.kernel.KernelArguments.cachedAttentionInputs;
import static io.guilomo.kernel.KernelArguments.indices;
import static io.guilomo.kernel.KernelArguments.matrix;
import static io.guilomo.kernel.KernelArguments.rotated;
import static io.guilomo.kernel.KernelArguments.sameShape;
import static io.guilomo.kernel.KernelArguments.size;
import static io.guilomo.kernel.KernelArguments.state;

import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link AttentionKernels} that check their arguments. */
interface CheckedAttention extends AttentionKernels {

  Operations operations();

  @Override
  default void rotate(
      INDArray x, int[] positions, int heads, INDArray cosine, INDArray sine, boolean backward) {
    matrix("x", x);
    matrix("cosine", cosine);
    sameShape("sine", sine, cosine);
    rotated(x.size(1), heads, 2 * cosine.size(1));
    size("positions", positions.length, x.size(0));
    indices("position", positions, cosine.size(0));
    operations().attention().rotate(x, positions, heads, cosine, sine, backward);
  }

  @Override
  default long attentionState(AttentionShape shape, int[] starts) {
    return operations().attention().attentionState(shape, starts);
  }

  @Override
  default void attention(
      AttentionShape shape,
      int[] starts,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray state,
      INDArray result) {
    attentionInputs(shape, starts, query, key, value);
    state(state, attentionState(shape, starts));
    sameShape("result", result, query);
    operations().attention().attention(shape, starts, query, key, value, state, result);
  }

  @Override
  default void cachedAttention(
      AttentionShape shape,
      int[] starts,
      int[] firstKeys,
      int[] lengths,
      INDArray query,
      INDArray keys,
      INDArray values,
      INDArray result) {
    cachedAttentionInputs(shape, starts, firstKeys, lengths, query, keys, values);
    sameShape("result", result, query);
    operations()
        .attention()
        .cachedAttention(shape, starts, firstKeys, lengths, query, keys, values, result);
  }

  @Override
  default void attentionBackward(
      AttentionShape shape,
      int[] starts,
      INDArray dResult,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray result,
      INDArray state,
      INDArray dQuery,
      INDArray dKey,
      INDArray dValue) {
    attentionInputs(shape, starts, query, key, value);
    state(state, attentionState(shape, starts));
    sameShape("result", result, query);
    sameShape("gradient of the result", dResult, query);
    sameShape("gradient of query", dQuery, query);
    sameShape("gradient of key", dKey, key);
    sameShape("gradient of value", dValue, value);
    operations()
        .attention()
        .attentionBackward(
            shape, starts, dResult, query, key, value, result, state, dQuery, dKey, dValue);
  }
}
