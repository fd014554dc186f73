package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArguments.indices;
import static io.guilomo.kernel.KernelArguments.matrix;
import static io.guilomo.kernel.KernelArguments.size;
import static io.guilomo.kernel.KernelArguments.vector;

import java.util.function.IntConsumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The checks of {@link CheckedKernels} for the loss and for flat vectors. */
abstract class CheckedSteps implements Kernels {
  final Kernels operations;

  CheckedSteps(Kernels operations) {
    this.operations = operations;
  }

  @Override
  public boolean splitsBatches() {
    return operations.splitsBatches();
  }

  @Override
  public void sideBySide(int replicas, IntConsumer body) {
    operations.sideBySide(replicas, body);
  }

  @Override
  public double crossEntropy(
      INDArray logits, int[] labels, float scale, boolean gradient, float[] losses) {
    matrix("logits", logits, labels.length, logits.size(1));
    indices("label", labels, logits.size(1));
    size("losses", losses.length, labels.length);
    return operations.crossEntropy(logits, labels, scale, gradient, losses);
  }

  @Override
  public void adamW(
      AdamW settings,
      double learningRate,
      long step,
      INDArray weights,
      INDArray gradient,
      INDArray firstMoment,
      INDArray secondMoment,
      INDArray target,
      boolean advance) {
    vector("weights", weights);
    vector("gradient", gradient, weights.length());
    vector("first moment", firstMoment, weights.length());
    vector("second moment", secondMoment, weights.length());
    vector("target", target, weights.length());
    if (step < 1) {
      throw new IllegalArgumentException(
          String.format("Cannot take step %d of AdamW: steps count from 1", step));
    }
    operations.adamW(
        settings,
        learningRate,
        step,
        weights,
        gradient,
        firstMoment,
        secondMoment,
        target,
        advance);
  }

  @Override
  public void addScaled(INDArray x, double factor, INDArray y, INDArray target) {
    vector("x", x);
    vector("y", y, x.length());
    vector("target", target, x.length());
    operations.addScaled(x, factor, y, target);
  }

  @Override
  public void multiply(INDArray x, INDArray y, INDArray target) {
    vector("x", x);
    vector("y", y, x.length());
    vector("target", target, x.length());
    operations.multiply(x, y, target);
  }

  @Override
  public void scale(INDArray x, double factor) {
    vector("x", x);
    operations.scale(x, factor);
  }

  @Override
  public double norm(INDArray x) {
    vector("x", x);
    return operations.norm(x);
  }
}
