package io.guilomo.kernel;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Norms, activations, dropout and the loss, forward and backward. */
public interface LayerKernels {

  /**
   * {@code y = x / rms(x) ⊙ weight}, {@code rms = √(mean(x²) + epsilon)}.
   *
   * @param inverseRms {@code [T]}, saved for the backward pass
   */
  void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray inverseRms);

  /** {@code dx += ∂rmsNorm/∂x · dy}. The weight is frozen. */
  void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray inverseRms, INDArray dx);

  /**
   * {@code y = (x − mean) / √(variance + epsilon) ⊙ weight + bias}.
   *
   * @param mean {@code [T]}, kept for the backward pass
   * @param inverseDeviation {@code [T]}, kept for the backward pass
   */
  void layerNorm(
      INDArray x,
      INDArray weight,
      INDArray bias,
      float epsilon,
      INDArray y,
      INDArray mean,
      INDArray inverseDeviation);

  /** {@code dx = ∂layerNorm/∂x · dy}. {@code dx} may be {@code dy}. Weight and bias are frozen. */
  void layerNormBackward(
      INDArray dy,
      INDArray x,
      INDArray weight,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dx);

  /** {@code y = silu(gate) ⊙ up}; {@code gateUp [T, 2n]} holds gate, then up; {@code y [T, n]}. */
  void swiGlu(INDArray gateUp, INDArray y);

  /** Backward of {@link #swiGlu}. {@code dGateUp [T, 2n]}; it may be {@code gateUp}. */
  void swiGluBackward(INDArray dy, INDArray gateUp, INDArray dGateUp);

  /** Exact GELU, {@code y = x · Φ(x)}. */
  void gelu(INDArray x, INDArray y);

  /** {@code dx = dy ⊙ gelu'(x)}. {@code dx} may be {@code x} or {@code dy}. */
  void geluBackward(INDArray dy, INDArray x, INDArray dx);

  /**
   * Inverted dropout: an element is kept with probability {@code 1 − rate} and then divided by it.
   * Whether an element is kept depends only on the mask's seed and the element's row and column,
   * not on strides, threads or earlier calls.
   */
  void dropout(INDArray x, DropoutMask mask, INDArray y);

  /**
   * {@code dx += dy ⊙ kept / (1 − rate)}, for the elements that {@link #dropout} keeps with the
   * same mask.
   */
  void dropoutBackward(INDArray dy, DropoutMask mask, INDArray dx);

  /**
   * Cross-entropy of each row against its label.
   *
   * @param logits {@code [n, classes]}; overwritten with {@code (softmax − onehot) · scale} if
   *     {@code gradient}
   * @param labels {@code [n]}, each in {@code 0 .. classes − 1}
   * @param losses result {@code [n]}
   * @param totals {@code [2]} of {@link DataType#DOUBLE}: the unscaled sum of the losses is added
   *     to the first; without {@code gradient}, the number of rows whose largest logit (the lowest
   *     index among equals) is the label is added to the second
   */
  void crossEntropy(
      INDArray logits,
      int[] labels,
      float scale,
      boolean gradient,
      INDArray losses,
      INDArray totals);
}
