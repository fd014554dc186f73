package io.guilomo.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Arithmetic on flat vectors: parameters, gradients and moments. */
public interface FlatVectorKernels {

  /**
   * One AdamW step (arXiv 1711.05101): {@code target = w(1 − rate·decay) − rate · m̂ / (√v̂ +
   * epsilon)}.
   *
   * @param weights {@code w [n]}
   * @param gradient {@code [n]}
   * @param firstMoment {@code m [n]}, before the step
   * @param secondMoment {@code v [n]}, before the step
   * @param step the number of this step, from 1
   * @param target {@code [n]}; may be {@code weights}
   * @param advance whether the moments are overwritten with those of this step
   */
  void adamW(
      AdamW settings,
      double learningRate,
      long step,
      INDArray weights,
      INDArray gradient,
      INDArray firstMoment,
      INDArray secondMoment,
      INDArray target,
      boolean advance);

  /** {@code target = x + factor · y}; {@code target} may be either. */
  void addScaled(INDArray x, double factor, INDArray y, INDArray target);

  /** {@code target = x ⊙ y}; {@code target} may be either. */
  void multiply(INDArray x, INDArray y, INDArray target);

  /** {@code x *= factor}. */
  void scale(INDArray x, double factor);

  /** Euclidean norm, accumulated in 64 bits. */
  double norm(INDArray x);
}
