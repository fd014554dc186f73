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

  /** {@code y = activation(x)}. */
  void activate(Activation activation, INDArray x, INDArray y);

  /** {@code dx = dy ⊙ activation'(x)}. {@code dx} may be {@code x} or {@code dy}. */
  void activateBackward(Activation activation, INDArray dy, INDArray x, INDArray dx);

  /**
   * {@code y = activation(gate) ⊙ up} (arXiv 2002.05202).
   *
   * @param gateUp {@code [T, 2n]}: gate, then up
   * @param y {@code [T, n]}
   */
  void gated(Activation activation, INDArray gateUp, INDArray y);

  /**
   * Backward of {@link #gated}.
   *
   * @param dGateUp result {@code [T, 2n]}; may be {@code gateUp}
   */
  void gatedBackward(Activation activation, INDArray dy, INDArray gateUp, INDArray dGateUp);

  /** {@code x = cap · tanh(x / cap)} (arXiv 2408.00118). */
  void softcap(INDArray x, float cap);

  /**
   * Backward of {@link #softcap}: {@code dy ⊙= 1 − (y / cap)²}.
   *
   * @param y what {@link #softcap} left
   */
  void softcapBackward(INDArray dy, INDArray y, float cap);

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
