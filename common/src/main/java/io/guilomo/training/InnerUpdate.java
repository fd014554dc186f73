package io.guilomo.training;

import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@code w ← AdamW(w, clipped gradient)} for the weights of a network.
 *
 * @param clipNorm maximum norm of the gradient; 0: no clipping
 */
public record InnerUpdate(
    LoraMoeNetwork network, Kernels kernels, AdamW settings, double clipNorm) {

  /**
   * Scales the gradient down to the maximum norm; returns the norm before.
   *
   * @throws ArithmeticException if the norm is not finite: clipping would turn it into NaN weights
   */
  public double clip(INDArray gradient) {
    double norm = kernels.norm(gradient);
    if (!Double.isFinite(norm)) {
      throw new ArithmeticException("Cannot continue: the norm of the gradient is " + norm);
    }
    if (clipNorm > 0 && norm > clipNorm) {
      kernels.scale(gradient, clipNorm / norm);
    }
    return norm;
  }

  /**
   * Updates the weights.
   *
   * @param age number of the update, from 1
   * @param advance whether the moments advance; they do not in a virtual step
   */
  public void apply(long age, double learningRate, INDArray gradient, boolean advance) {
    kernels.adamW(
        settings,
        learningRate,
        age,
        network.weights(),
        gradient,
        network.weightFirstMoment(),
        network.weightSecondMoment(),
        network.weights(),
        advance);
  }
}
